/** Requests and answers in OpenAI's form, as the server takes them one by one and the command line in batches. */
@NullMarked
package io.github.internvl4j.server.openai;

import org.jspecify.annotations.NullMarked;
