package io.github.internvl4j.train;

import java.util.List;

/**
 * What is learnt from a line.
 *
 * @param dialog its tokens
 * @param pictures its images, whose rows stand in the tokens, in order
 */
record TrainingSample(TokenizedDialog dialog, List<Picture> pictures) {}
