package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All replies of a batch, in the order of its requests. */
final class CollectedReplies implements BatchListener {
    private final Reply[] replies;
    private @Nullable InternVLException failure;

    CollectedReplies(int requests) {
        replies = new Reply[requests];
    }

    @Override
    public void onReply(int index, Reply reply) {
        replies[index] = reply;
    }

    @Override
    public void onFailure(int index, InternVLException problem) {
        if (failure == null) {
            failure = problem;
        }
    }

    @Override
    public void onCancelled(int from) {
        Arrays.fill(replies, from, replies.length, Answer.unbegun());
    }

    /** @throws InternVLException if a request failed: the first that did */
    List<Reply> all() {
        if (failure != null) {
            throw failure;
        }
        return Arrays.asList(replies);
    }
}
