package io.github.internvl4j;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeSequence;
import io.github.internvl4j.text.Round;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A conversation. It keeps what the model computed for its earlier rounds, so that a new round costs only what is new and
 * no picture is encoded twice; the answers are the same as those of a fresh prompt with the same history.
 *
 * <p>One question at a time: a second thread that asks meanwhile gets {@link BusyException}. {@link #cancel} and
 * {@link #close} may come from any thread.
 */
public final class Chat implements AutoCloseable {
    private final InternVL owner;
    private final @Nullable String system;
    private final NativeSequence sequence;
    private final List<Round> history = new ArrayList<>();
    private final List<List<Image>> pictures = new ArrayList<>();
    private final List<NativeFeatures> features = new ArrayList<>();
    private final ReentrantLock asking = new ReentrantLock();
    private volatile @Nullable Cancellation current;
    private volatile boolean closed;

    Chat(InternVL owner, @Nullable String system, NativeSequence sequence) {
        this.owner = owner;
        this.system = system;
        this.sequence = sequence;
    }

    /**
     * Asks about the conversation so far and, perhaps, new pictures.
     *
     * @param pictures separate pictures; {@code <image>} in the question marks their places, otherwise each gets a line of
     *     its own before the question
     */
    public Reply ask(String question, Image... pictures) {
        return ask(Prompt.of(question, pictures), GenerationConfig.defaults(), ReplyListener.none());
    }

    /** Asks, and hands the answer to the listener piece by piece. */
    public Reply ask(String question, ReplyListener listener, Image... pictures) {
        return ask(Prompt.of(question, pictures), GenerationConfig.defaults(), listener);
    }

    /**
     * Asks with settings.
     *
     * @param question its history and system message must be empty: those are the chat's own
     * @throws PromptException if it has them, or if its pictures and their places differ in number; the chat is unchanged
     * @throws BusyException if another thread is asking
     * @throws ClosedException if the chat or the model is closed, before or meanwhile
     */
    public Reply ask(Prompt question, GenerationConfig config, ReplyListener listener) {
        if (!question.history().isEmpty() || question.system() != null) {
            throw new PromptException(
                    "a question to a chat brings no history and no system message of its own, expected both empty");
        }
        if (asking.isHeldByCurrentThread() || !asking.tryLock()) {
            throw new BusyException("the chat is answering another question; ask when it has finished, or use one chat"
                    + " for each thread");
        }
        Cancellation cancellation = new Cancellation();
        try {
            current = cancellation;
            requireOpen();
            Reply reply = answer(question, config, listener, cancellation);
            if (reply.finish() == FinishReason.CANCELLED && closed) {
                throw new ClosedException("the chat was closed while it answered");
            }
            return reply;
        } finally {
            current = null;
            leave();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new ClosedException("the chat is closed");
        }
    }

    /** Gives the lock back. Who closes meanwhile does not wait for it: then the last to leave frees. */
    private void leave() {
        asking.unlock();
        if (closed && !asking.isHeldByCurrentThread() && asking.tryLock()) {
            try {
                free();
            } finally {
                asking.unlock();
            }
        }
    }

    private Reply answer(
            Prompt question, GenerationConfig config, ReplyListener listener, Cancellation cancellation) {
        String text = question.questionWithPlaces();
        List<List<Image>> all = new ArrayList<>(pictures);
        all.addAll(question.pictures());
        Prompt whole = new Prompt(system, history, text, all, question.specialTokens());
        int[] tokens = owner.reader().tokens(whole);

        long before = System.nanoTime();
        NativeFeatures added = null;
        boolean kept = false;
        try (Generator generator = new Generator(owner.model(), owner.reader(), cancellation)) {
            added = generator.encode(question.images());
            List<NativeFeatures> seen = new ArrayList<>(features);
            if (added != null) {
                seen.add(added);
            }
            double seconds = (System.nanoTime() - before) / 1e9;
            generator.add(0, tokens, seen, List.of(), config, listener, seconds, sequence);
            Reply reply = generator.run();
            kept = remember(question, text, reply, added);
            return reply;
        } catch (Generator.Unbegun e) {
            // Stopped while pictures were encoded: there is no answer, and nothing to remember.
            return Answer.unbegun(tokens);
        } finally {
            if (added != null && !kept) {
                added.close();
            }
        }
    }

    /** A cancelled answer counts as far as it came; without any text the round is forgotten. */
    private boolean remember(Prompt question, String text, Reply reply, @Nullable NativeFeatures added) {
        if (reply.finish() == FinishReason.CANCELLED && reply.text().isEmpty()) {
            return false;
        }
        history.add(new Round(text, reply.text()));
        pictures.addAll(question.pictures());
        if (added != null) {
            features.add(added);
        }
        return true;
    }

    /**
     * The rounds so far; questions hold {@code <image>} where their pictures stand. Waits for an answer in progress, but not from
     * its listener. It can be asked for when the chat is closed, too.
     */
    public List<Round> history() {
        asking.lock();
        try {
            return List.copyOf(history);
        } finally {
            leave();
        }
    }

    /**
     * Tokens in the chat's cache. Does not wait: during an answer it grows.
     *
     * @throws ClosedException if the chat or the model is closed
     */
    public long cachedTokens() {
        return sequence.length();
    }

    /**
     * Forgets every round and picture. Waits for an answer in progress.
     *
     * @throws BusyException from the listener of that answer
     * @throws ClosedException if the chat or the model is closed
     */
    public void reset() {
        if (asking.isHeldByCurrentThread()) {
            throw new BusyException("the chat is answering; reset it when the answer is there, not from its listener");
        }
        asking.lock();
        try {
            requireOpen();
            history.clear();
            pictures.clear();
            features.forEach(NativeFeatures::close);
            features.clear();
        } finally {
            leave();
        }
    }

    /** Ends the answer in progress, if there is one, from any thread. Does nothing if the chat is closed. */
    public void cancel() {
        Cancellation running = current;
        if (running != null) {
            running.cancel();
        }
    }

    /**
     * Ends the answer in progress, whose {@link #ask} then throws {@link ClosedException}, and frees the cache. Idempotent; from
     * any thread, a listener's too. It does not wait for the answer to end.
     */
    @Override
    public void close() {
        closed = true;
        cancel();
        // An asking thread frees when it leaves; this one must not wait for it, since it may be its listener.
        if (!asking.isHeldByCurrentThread() && asking.tryLock()) {
            leave();
        }
    }

    /** Under the lock. */
    private void free() {
        sequence.close();
        features.forEach(NativeFeatures::close);
        features.clear();
        owner.forget(this);
    }
}
