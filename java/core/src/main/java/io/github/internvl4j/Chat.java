package io.github.internvl4j;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeSequence;
import io.github.internvl4j.text.Turn;
import io.github.internvl4j.text.SpecialTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A conversation. It keeps what the model computed for its earlier turns, so that a new turn costs only what is new and
 * no image is encoded twice; the answers are the same as those of a fresh prompt with the same history.
 *
 * <p>A conversation is as long as the model's context at most. Past its end every question throws
 * {@link ContextLengthException}, until {@link #undo} or {@link #reset} makes room. Images count with what the decoder sees of
 * them; they themselves are not kept.
 *
 * <p>One question at a time: a second thread that asks meanwhile gets {@link BusyException}. {@link #cancel} and
 * {@link #close} may come from any thread.
 */
public final class Chat implements AutoCloseable {
    private final InternVL owner;
    private final PromptReader.Opening opening;
    private final @Nullable SpecialTokens specialTokens;
    private final NativeSequence sequence;
    private final List<Kept> turns = new ArrayList<>();
    private final ReentrantLock asking = new ReentrantLock();
    private volatile @Nullable Cancellation current;
    private volatile boolean closed;

    /**
     * What is left of a turn: its images themselves are not kept.
     *
     * @param tiles how many tiles each of its image entries had when it was asked, and has ever since
     * @param features those images as the decoder sees them, null for none
     */
    private record Kept(Turn turn, List<Integer> tiles, @Nullable NativeFeatures features) {
        void free() {
            if (features != null) {
                features.close();
            }
        }
    }

    Chat(InternVL owner, PromptReader.Opening opening, @Nullable SpecialTokens specialTokens, NativeSequence sequence) {
        this.owner = owner;
        this.opening = opening;
        this.specialTokens = specialTokens;
        this.sequence = sequence;
    }

    /**
     * Asks about the conversation so far and, perhaps, new images, with {@link GenerationConfig#defaults()}, or in a chat that
     * thinks with {@link GenerationConfig#thinking()}.
     *
     * @param images separate images; {@code <image>} in the question marks their placeholders, otherwise each gets a line of
     *     its own before the question
     */
    public Reply ask(String question, Image... images) {
        return ask(question, ReplyListener.none(), images);
    }

    /** Asks, and hands the answer to the listener chunk by chunk. */
    public Reply ask(String question, ReplyListener listener, Image... images) {
        GenerationConfig config = opening.thinking() ? GenerationConfig.thinking() : GenerationConfig.defaults();
        return ask(Prompt.of(question, images), config, listener);
    }

    /**
     * Asks with settings.
     *
     * @param question its history and system message must be empty: those are the chat's own. It is read in its own mode, or
     *     else in the chat's, now and in all later turns
     * @throws PromptException if it has them, or if its images and their placeholders differ in number; the chat is unchanged
     * @throws ContextLengthException if the conversation with this question leaves no room for an answer; the chat is
     *     unchanged, and {@link #undo} and {@link #reset} make room
     * @throws BusyException if another thread is asking
     * @throws ClosedException if the chat or the model is closed, before or meanwhile
     */
    public Reply ask(Prompt question, GenerationConfig config, ReplyListener listener) {
        if (!question.history().isEmpty() || question.system() != null) {
            throw new PromptException(
                    "a question to a chat brings no history and no system message of its own, expected both empty");
        }
        if (question.thinking() && !opening.thinking()) {
            throw new PromptException("the question asks for thinking, but the chat was not opened for it (thinkingChat), and thinking"
                    + " has a system message of its own");
        }
        begin();
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

    /** Takes the lock. Who asks keeps it long and is not waited for; who looks at the turns has it for a moment. */
    private void begin() {
        boolean busy = asking.isHeldByCurrentThread();
        while (!busy && !asking.tryLock()) {
            busy = current != null;
            Thread.yield();
        }
        if (busy) {
            throw new BusyException("the chat is answering another question; ask when it has finished, or use one chat"
                    + " for each thread");
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
        List<Integer> tiles = owner.reader().tiles(question);
        SpecialTokens mode = question.specialTokensOr(ownMode());
        Turn asked = question.asked(mode).withPlaceholders(tiles.size());
        int[] tokens = tokens(asked, tiles);

        long before = System.nanoTime();
        NativeFeatures added = null;
        boolean kept = false;
        try (Generator generator = new Generator(owner.model(), owner.reader(), cancellation)) {
            added = generator.encode(question);
            List<NativeFeatures> seen = new ArrayList<>();
            turns.forEach(earlier -> addTo(seen, earlier.features()));
            addTo(seen, added);
            double seconds = (System.nanoTime() - before) / 1e9;
            generator.add(0, tokens, seen, List.of(), config, listener, opening.thinking(), seconds, sequence);
            Reply reply = generator.run();
            kept = remember(asked, tiles, reply, added);
            return reply;
        } catch (Generator.Unbegun e) {
            // Stopped while images were encoded: there is no answer, and nothing to remember.
            return Answer.unbegun(tokens);
        } finally {
            if (added != null && !kept) {
                added.close();
            }
        }
    }

    private static void addTo(List<NativeFeatures> seen, @Nullable NativeFeatures features) {
        if (features != null) {
            seen.add(features);
        }
    }

    private SpecialTokens ownMode() {
        return specialTokens == null ? SpecialTokens.PARSE : specialTokens;
    }

    private int[] tokens(Turn asked, List<Integer> tiles) {
        List<Turn> history = turns.stream().map(Kept::turn).toList();
        List<Integer> all = new ArrayList<>();
        turns.forEach(earlier -> all.addAll(earlier.tiles()));
        all.addAll(tiles);
        // The system message is as old as the chat: what is asked later must not change how it is read.
        SpecialTokens first = history.isEmpty() ? asked.specialTokens() : history.get(0).specialTokens();
        SpecialTokens systemMode = specialTokens != null || first == null ? ownMode() : first;
        try {
            return owner.reader().tokens(opening, systemMode, history, asked, all);
        } catch (ContextLengthException e) {
            if (history.isEmpty()) {
                throw e;
            }
            throw new ContextLengthException(
                    e.getMessage() + "; undo() takes back the last turn of the chat, reset() all " + history.size(), e);
        }
    }

    /** A cancelled answer counts as far as it came; without any text the turn is forgotten. As in the original's, thinking is kept. */
    private boolean remember(Turn asked, List<Integer> tiles, Reply reply, @Nullable NativeFeatures added) {
        if (reply.finish() == FinishReason.CANCELLED && reply.response().isEmpty()) {
            return false;
        }
        Turn turn = new Turn(asked.question(), reply.response(), asked.specialTokens(), asked.placeholders());
        turns.add(new Kept(turn, tiles, added));
        return true;
    }

    /**
     * The turns so far, each with its mode and with the placeholders of its images told; questions hold {@code <image>} there.
     * With the same images they are the {@link Prompt#history} of the same conversation. Waits for an answer in progress,
     * but not from its listener. It can be asked for when the chat is closed, too.
     */
    public List<Turn> history() {
        asking.lock();
        try {
            return turns.stream().map(Kept::turn).toList();
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
     * Takes back the last turn and its images: the next question is asked as if it had not been. What was computed for the
     * turns before is kept. Waits for an answer in progress.
     *
     * @return the turn that was taken back, or empty if there was none
     * @throws BusyException from the listener of that answer
     * @throws ClosedException if the chat or the model is closed
     */
    public Optional<Turn> undo() {
        if (asking.isHeldByCurrentThread()) {
            throw new BusyException("the chat is answering; take a turn back when it has finished");
        }
        asking.lock();
        try {
            requireOpen();
            if (turns.isEmpty()) {
                return Optional.empty();
            }
            Kept last = turns.remove(turns.size() - 1);
            last.free();
            return Optional.of(last.turn());
        } finally {
            leave();
        }
    }

    /**
     * Forgets every turn and image. Waits for an answer in progress.
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
            turns.forEach(Kept::free);
            turns.clear();
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
        turns.forEach(Kept::free);
        owner.forget(this);
    }
}
