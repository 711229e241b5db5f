package io.github.internvl4j.hub;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.InsufficientDiskSpaceException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One download of a checkpoint: which files, whether they fit, and several of them at once. */
final class Pull {
    private static final long TELL_MILLIS = 100;

    private final HubOptions options;
    private final Surroundings surroundings;
    private final ModelName name;
    private final PullListener listener;
    private final @Nullable Cancellation cancellation;
    private final HubCache cache;
    private final HubClient client;
    private final HubApi api;
    private final Queue<String> notes = new ConcurrentLinkedQueue<>();

    Pull(
            HubOptions options,
            Surroundings surroundings,
            ModelName name,
            PullListener listener,
            @Nullable Cancellation cancellation) {
        this.options = options;
        this.surroundings = surroundings;
        this.name = name;
        this.listener = listener;
        this.cancellation = cancellation;
        cache = new HubCache(options.cache(), name);
        client = new HubClient(options, name);
        api = new HubApi(options, name, client, this::retries);
    }

    private Retries retries(String what) {
        return new Retries(what, options.retries(), surroundings::pause, notes::add);
    }

    /** @return the snapshot's folder */
    Path run() throws InterruptedException {
        ExecutorService workers = Executors.newFixedThreadPool(options.connections(), Pull::thread);
        try {
            String commit = name.isExact() ? name.revision() : watched(workers, api::commit);
            if (!cache.hasListed(commit).orElse(false)) {
                List<RemoteFile> all = watched(workers, () -> api.files(commit));
                download(workers, commit, all);
            }
            cache.writeRef(name, commit);
            return cache.snapshot(commit);
        } catch (IOException e) {
            throw new HubException("the cache " + options.cache() + " cannot be written: " + FileProblems.reason(e), e);
        } finally {
            end(workers);
        }
    }

    private static Thread thread(Runnable body) {
        Thread thread = new Thread(body, "internvl4j-pull");
        thread.setDaemon(true);
        return thread;
    }

    /** None goes on behind the caller's back. */
    private static void end(ExecutorService workers) {
        workers.shutdownNow();
        boolean interrupted = false;
        while (!workers.isTerminated()) {
            try {
                workers.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void download(ExecutorService workers, String commit, List<RemoteFile> all)
            throws IOException, InterruptedException {
        List<RemoteFile> wanted = Selection.of(name, all);
        List<Progress> files = new ArrayList<>();
        for (RemoteFile file : wanted) {
            files.add(new Progress(file, cache.bytesHere(commit, file)));
        }
        requireSpace(files);
        cache.writeTree(commit, all);
        // What is refused is then refused before the large ones come.
        files.sort(Comparator.comparingLong(progress -> progress.file.size()));
        ExecutorCompletionService<Void> done = new ExecutorCompletionService<>(workers);
        for (Progress progress : files) {
            done.submit(() -> {
                bring(commit, progress);
                return null;
            });
        }
        int filesDone = 0;
        tell(files, filesDone);
        while (filesDone < files.size()) {
            Future<Void> ended = done.poll(TELL_MILLIS, TimeUnit.MILLISECONDS);
            if (ended != null) {
                result(ended);
                filesDone++;
            }
            look();
            tell(files, filesDone);
        }
    }

    /** A file of the checkpoint and how much of it is here. */
    private static final class Progress {
        private final RemoteFile file;
        private final AtomicLong here;

        Progress(RemoteFile file, long here) {
            this.file = file;
            this.here = new AtomicLong(here);
        }
    }

    private void requireSpace(List<Progress> files) {
        long missing = 0;
        for (Progress progress : files) {
            missing += progress.file.size() - progress.here.get();
            if (missing < 0) {
                missing = Long.MAX_VALUE;
                break;
            }
        }
        long free = surroundings.freeSpace(options.cache());
        if (missing > free) {
            throw new InsufficientDiskSpaceException(
                    name + " needs " + Shown.bytes(missing) + " more in " + options.cache() + ", where "
                            + Shown.bytes(free) + " are free; HF_HUB_CACHE names another folder");
        }
    }

    /** One file into the snapshot, if nobody else has brought it. */
    private void bring(String commit, Progress progress) throws IOException, InterruptedException {
        RemoteFile file = progress.file;
        if (!cache.hasFile(commit, file)) {
            Runnable waiting = () -> notes.add("another process downloads " + file.path() + "; this one waits for it");
            cache.locked(file, waiting, () -> {
                if (!cache.hasFile(commit, file)) {
                    download(commit, progress);
                    cache.link(commit, file);
                }
            });
        }
        progress.here.set(file.size());
    }

    private void download(String commit, Progress progress) throws IOException, InterruptedException {
        RemoteFile file = progress.file;
        if (!cache.hasBlob(file)) {
            new FileDownload(
                            client,
                            api.file(commit, file),
                            commit,
                            file,
                            cache.incomplete(file),
                            progress.here::set,
                            retries(file.path()))
                    .into(cache.blob(file));
        }
        Files.deleteIfExists(cache.incomplete(file)); // of a blob that another tool has brought
    }

    private <T> T watched(ExecutorService workers, Callable<T> question) throws IOException, InterruptedException {
        Future<T> answer = workers.submit(question);
        while (!answer.isDone()) {
            look();
            try {
                answer.get(TELL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // Not yet: whoever is to be told is told again.
            } catch (ExecutionException e) {
                break;
            }
        }
        return result(answer);
    }

    private static <T> T result(Future<T> ended) throws IOException, InterruptedException {
        try {
            return ended.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error failure) {
                throw failure;
            }
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IllegalStateException(e);
        }
    }

    /** Passes on what the workers said, and ends if that is wanted. */
    private void look() {
        for (String note = notes.poll(); note != null; note = notes.poll()) {
            listener.onNote(note);
        }
        if (cancellation != null && cancellation.isCancelled()) {
            throw new CancellationException("the pull of " + name + " was cancelled");
        }
    }

    private void tell(List<Progress> files, int filesDone) {
        long here = files.stream().mapToLong(progress -> progress.here.get()).sum();
        long total = files.stream().mapToLong(progress -> progress.file.size()).sum();
        listener.onProgress(new PullProgress(filesDone, files.size(), here, total));
    }
}
