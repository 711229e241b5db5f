package io.github.internvl4j.bench.peers;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The file of one or several invocations on one machine.
 *
 * @param processor its name
 */
record Results(String processor, int threads, List<TrialResult> trials) {
    /** These, and those of the file that were not made again. */
    Results onTopOf(File file) throws IOException {
        if (!file.exists()) {
            return this;
        }
        Results before = Json.read(file, Results.class);
        if (!before.processor.equals(processor) || before.threads != threads) {
            throw new IOException("%s is of %s with %d threads, this is %s with %d: not to be put together"
                    .formatted(file, before.processor, before.threads, processor, threads));
        }
        List<TrialResult> all = new ArrayList<>(before.trials);
        all.removeIf(old -> trials.stream().anyMatch(old::isSame));
        all.addAll(trials);
        return new Results(processor, threads, all);
    }

    /** Those that have times, and of each peer and format only the variant that was fastest. */
    List<TrialResult> best() {
        List<TrialResult> best = new ArrayList<>();
        for (TrialResult trial : trials) {
            if (trial.failure() != null) {
                continue;
            }
            int rival = indexOfRival(best, trial);
            if (rival < 0) {
                best.add(trial);
            } else if (trial.peerSpeed().median() > best.get(rival).peerSpeed().median()) {
                best.set(rival, trial);
            }
        }
        return best;
    }

    private static int indexOfRival(List<TrialResult> best, TrialResult trial) {
        for (int i = 0; i < best.size(); i++) {
            TrialResult other = best.get(i);
            if (other.task().equals(trial.task())
                    && other.ours().equals(trial.ours())
                    && other.peer().label().equals(trial.peer().label())) {
                return i;
            }
        }
        return -1;
    }
}
