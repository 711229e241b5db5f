/** An HTTP server with OpenAI's endpoints over the library, and a page to talk to the model. */
@NullMarked
package io.github.internvl4j.server;

import org.jspecify.annotations.NullMarked;
