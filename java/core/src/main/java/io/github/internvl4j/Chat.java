package io.github.internvl4j;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A conversation. It keeps what the model computed for its earlier turns, so that a new turn costs only what is new and
 * no image is encoded twice; the answers are the same as those of a fresh prompt with the same history.
 *
 * <p>A conversation is as long as the model's context at most. What happens to a question past its end is {@link
 * ChatOptions#whenFull}: it throws {@link ContextLengthException} until {@link #undo}, {@link #reset} or a shorter question makes
 * room, or the oldest turns make room for it. Images count with what the decoder sees of them; they themselves are not kept.
 *
 * <p>What its images look like is settled when they come: where an adapter that {@linkplain Adapter#seesImages sees images} answered
 * about them, every later question must have the same one; those of a history have the adapters of {@link ChatOptions#config}.
 *
 * <p>One question at a time: who asks meanwhile gets {@link BusyException}. {@link #cancel} and {@link #close} may come from any
 * thread.
 */
public final class Chat implements AutoCloseable {
    private final InternVL owner;
    private final ChatOptions options;
    private final PromptReader.Opening opening;
    private final List<Kept> turns = new ArrayList<>();
    private final ReentrantLock asking = new ReentrantLock();
    // How the system message is read: by the first turn's mode. It is as old as the chat, so what is asked later must
    // not change it.
    private @Nullable SpecialTokens firstMode;
    private volatile @Nullable Cancellation current;
    private volatile boolean closed;

    /**
     * What is left of a turn: its images themselves are not kept.
     *
     * @param tiles how many tiles each of its image entries had when it was asked, and has ever since
     * @param features those images as the decoder sees them, null for none
     */
    private record Kept(
            Turn turn, List<Integer> tiles, @Nullable NativeFeatures features) {
        void free() {
            if (features != null) {
                features.close();
            }
        }
    }

    /**
     * A question with the turns that it is asked behind.
     *
     * @param dropped how many of the oldest turns are left out
     */
    private record Fitted(int[] tokens, int dropped) {}

    Chat(InternVL owner, ChatOptions options) {
        this.owner = owner;
        this.options = options;
        opening = new PromptReader.Opening(options.system(), options.thinking());
    }

    /**
     * Takes the turns that went before, and their images.
     *
     * @throws PromptException if the images and the history's placeholders differ in number
     */
    void recall(List<Turn> history, List<List<Image>> images) {
        List<Turn> told =
                history.stream().map(turn -> told(turn, images.isEmpty())).toList();
        int placeholders =
                told.stream().mapToInt(turn -> turn.imagePlaceholders().size()).sum();
        if (placeholders != images.size()) {
            throw new PromptException("the history's questions have " + placeholders + " " + ConversationTemplate.IMAGE
                    + " placeholders, but there are " + images.size() + " image entries; the two must be equal");
        }
        int next = 0;
        for (Turn turn : told) {
            int last = next + turn.imagePlaceholders().size();
            Prompt shown = Prompt.of("").images(images.subList(next, last));
            try (Generator generator = owner.generator(null)) {
                keep(new Kept(
                        turn,
                        owner.reader().tiles(shown),
                        generator.images(shown, options.config(), options.cacheSalt())));
            }
            next = last;
        }
    }

    /** With a mode of its own, and its placeholders. */
    private Turn told(Turn turn, boolean blind) {
        Turn own = turn.specialTokens() == null ? turn.specialTokens(ownMode()) : turn;
        return blind ? own.laidOut(0) : own.placeholders(own.imagePlaceholders());
    }

    /**
     * Asks about the conversation so far and, perhaps, new images, as {@link ChatOptions#config} says.
     *
     * @param images separate images; {@code <image>} in the question marks their placeholders, otherwise each gets a line of
     *     its own before the question
     */
    public Reply ask(String question, Image... images) {
        return ask(Prompt.of(question, images));
    }

    /** Asks, with the answer drawn in another way than the chat's. */
    public Reply ask(String question, GenerationConfig config, Image... images) {
        return ask(Prompt.of(question, images), config, ReplyListener.none());
    }

    /** Asks, and hands the answer to the listener chunk by chunk. */
    public Reply ask(String question, ReplyListener listener, Image... images) {
        return ask(Prompt.of(question, images), options.config(), listener);
    }

    /** Asks as {@link ChatOptions#config} says. */
    public Reply ask(Prompt question) {
        return ask(question, options.config(), ReplyListener.none());
    }

    /**
     * Asks with settings.
     *
     * @param question its history and system message must be empty: those are the chat's own. It is read in its own mode, or
     *     else in the chat's, now and in all later turns
     * @throws PromptException if it has them, or if its images and their placeholders differ in number; the chat is unchanged
     * @throws ContextLengthException if the conversation with this question, or with {@link WhenFull#DROP_OLDEST} the question
     *     alone, leaves no room for an answer; the chat is unchanged
     * @throws BusyException if another question is being answered
     * @throws ClosedException if the chat or the model is closed, before or meanwhile
     */
    public Reply ask(Prompt question, GenerationConfig config, ReplyListener listener) {
        require(question, config);
        Objects.requireNonNull(listener, "listener");
        return ask(question, config, listener, new Cancellation(), () -> {});
    }

    /** Asks, for a loop over the answer's chunks. */
    public ReplyStream stream(String question, Image... images) {
        return stream(Prompt.of(question, images), options.config());
    }

    /**
     * Asks, for a loop over the answer's chunks. The question has begun when this returns; what goes wrong is thrown by the loop.
     *
     * @param question as for {@link #ask(Prompt, GenerationConfig, ReplyListener)}
     */
    public ReplyStream stream(Prompt question, GenerationConfig config) {
        return new ReplyStream(background(question, config));
    }

    /** Asks without waiting for the answer. */
    public CompletableFuture<Reply> askAsync(String question, Image... images) {
        return askAsync(Prompt.of(question, images), options.config());
    }

    /**
     * Asks without waiting for the answer. The question has begun when this returns.
     *
     * @param question as for {@link #ask(Prompt, GenerationConfig, ReplyListener)}
     * @return the reply, or what went wrong. Cancelling it ends the answer; the chat can be asked again within the time of a layer
     */
    public CompletableFuture<Reply> askAsync(Prompt question, GenerationConfig config) {
        return Background.future(background(question, config));
    }

    private Background.Question background(Prompt question, GenerationConfig config) {
        require(question, config);
        return (listener, cancellation, begun) -> ask(question, config, listener, cancellation, begun);
    }

    private void require(Prompt question, GenerationConfig config) {
        Objects.requireNonNull(question, "question");
        Objects.requireNonNull(config, "config");
        if (!question.history().isEmpty() || question.system() != null) {
            throw new PromptException(
                    "a question to a chat brings no history and no system message of its own, expected both empty");
        }
        if (!question.cacheSalt().isEmpty()) {
            throw new PromptException(
                    "a question to a chat has no salt of its own, expected none: it has the chat's (ChatOptions.cacheSalt)");
        }
        if (question.thinking() && !options.thinking()) {
            throw new PromptException(
                    "the question asks for thinking, but the chat was not opened for it (ChatOptions.thinking), and"
                            + " thinking has a system message of its own");
        }
    }

    /** @param begun told when the chat is this question's alone */
    private Reply ask(
            Prompt question,
            GenerationConfig config,
            ReplyListener listener,
            Cancellation cancellation,
            Runnable begun) {
        begin();
        try {
            current = cancellation;
            begun.run();
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

    private Reply answer(Prompt question, GenerationConfig config, ReplyListener listener, Cancellation cancellation) {
        List<Integer> tiles = owner.reader().tiles(question);
        Turn asked = question.asked(question.specialTokensOr(ownMode())).laidOut(tiles.size());
        Fitted fitted = fit(asked, tiles, config);

        long before = System.nanoTime();
        NativeFeatures added = null;
        boolean kept = false;
        try (Generator generator = owner.generator(cancellation)) {
            added = generator.images(question, config, options.cacheSalt());
            List<NativeFeatures> seen = new ArrayList<>();
            turns.subList(fitted.dropped(), turns.size()).forEach(earlier -> addTo(seen, earlier.features()));
            addTo(seen, added);
            double seconds = (System.nanoTime() - before) / 1e9;
            Reply reply = generator
                    .answer(fitted.tokens(), seen, config, listener, options.thinking(), seconds, options.cacheSalt())
                    .droppedTurns(fitted.dropped());
            kept = remember(new Kept(asked, tiles, added), reply);
            return reply;
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
        SpecialTokens mode = options.specialTokens();
        return mode == null ? SpecialTokens.PARSE : mode;
    }

    /** The question behind as many turns as there is room for. */
    private Fitted fit(Turn asked, List<Integer> tiles, GenerationConfig config) {
        int context = owner.info().contextLength();
        int room = Math.min(config.maxNewTokens(), context / 4);
        boolean dropping = options.whenFull() == WhenFull.DROP_OLDEST;
        for (int dropped = 0; ; dropped++) {
            boolean last = !dropping || dropped == turns.size();
            try {
                int[] tokens = tokens(asked, tiles, turns.subList(dropped, turns.size()));
                if (last || tokens.length + room <= context) {
                    return new Fitted(tokens, dropped);
                }
            } catch (ContextLengthException e) {
                if (last) {
                    throw turns.isEmpty() || dropping ? e : withWaysOut(e);
                }
            }
        }
    }

    private ContextLengthException withWaysOut(ContextLengthException e) {
        return new ContextLengthException(
                e.getMessage() + "; undo() takes back the last turn of the chat, reset() all " + turns.size()
                        + ", and a chat with WhenFull.DROP_OLDEST forgets the oldest by itself",
                e);
    }

    private int[] tokens(Turn asked, List<Integer> tiles, List<Kept> earlier) {
        List<Integer> all = new ArrayList<>();
        earlier.forEach(turn -> all.addAll(turn.tiles()));
        all.addAll(tiles);
        SpecialTokens first = turns.isEmpty() ? asked.specialTokens() : firstMode;
        SpecialTokens systemMode = options.specialTokens() != null || first == null ? ownMode() : first;
        return owner.reader()
                .tokens(opening, systemMode, earlier.stream().map(Kept::turn).toList(), asked, all);
    }

    /** A cancelled answer counts as far as it came; without any text the turn is forgotten. As in the original's, thinking is kept. */
    private boolean remember(Kept asked, Reply reply) {
        if (reply.finish() == FinishReason.CANCELLED && reply.response().isEmpty()) {
            return false;
        }
        keep(new Kept(asked.turn().answer(reply.response()), asked.tiles(), asked.features()));
        List<Kept> dropped = turns.subList(0, reply.droppedTurns());
        dropped.forEach(Kept::free);
        dropped.clear();
        return true;
    }

    private void keep(Kept turn) {
        if (turns.isEmpty()) {
            firstMode = turn.turn().specialTokens();
        }
        turns.add(turn);
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
        turns.forEach(Kept::free);
        owner.forget(this);
    }
}
