package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.github.internvl4j.bench.peers.Trial.Cost;
import io.github.internvl4j.runtime.Machine;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a trial showed.
 *
 * @param ourSeconds of each turn, in order
 * @param peerSeconds of the turn right after it
 * @param cost of one turn of ours
 * @param machine as measured in the same invocation
 * @param failure why there are no times, else null
 */
record TrialResult(
        Task task,
        Side ours,
        Side peer,
        String ourSettings,
        String peerSettings,
        double[] ourSeconds,
        double[] peerSeconds,
        @Nullable Cost cost,
        Machine machine,
        @Nullable String failure) {
    /** Whether the other is of the same comparison, and so in place of this. */
    boolean isSame(TrialResult other) {
        return task.equals(other.task) && ours.equals(other.ours) && peer.equals(other.peer);
    }

    boolean isOf(Comparison comparison, Side itsPeer) {
        return task.equals(comparison.task()) && ours.equals(comparison.ours()) && peer.equals(itsPeer);
    }

    @JsonIgnore
    Spread ourSpeed() {
        return speed(ourSeconds);
    }

    @JsonIgnore
    Spread peerSpeed() {
        return speed(peerSeconds);
    }

    private Spread speed(double[] seconds) {
        return Spread.of(IntStream.range(0, seconds.length)
                .mapToDouble(i -> task.speed(seconds[i]))
                .toArray());
    }

    /** How many times as fast as the peer, pair by pair: what slows the machine for a while slows both. */
    @JsonIgnore
    Spread ratio() {
        return Spread.of(IntStream.range(0, ourSeconds.length)
                .mapToDouble(i -> peerSeconds[i] / ourSeconds[i])
                .toArray());
    }

    @JsonIgnore
    double ourShare() {
        return share(ours, ourSeconds);
    }

    @JsonIgnore
    double peerShare() {
        return share(peer, peerSeconds);
    }

    /**
     * Of the measured bandwidth for decoding, else of the measured peak of what the side multiplies; NaN if that was not measured,
     * as in files from before bf16's was. A side's weights have its own format; keys and values are f32 beside f32 weights, else
     * 16 bits.
     */
    private double share(Side side, double[] seconds) {
        double perSecond = 1 / Spread.of(seconds).median();
        if (task.kind() == Task.Kind.DECODE) {
            double weights = cost.weightBytes()
                    * side.format().bitsPerWeight()
                    / ours.format().bitsPerWeight();
            double cache = cost.cacheBytes() * cacheBits(side.format()) / cacheBits(ours.format());
            return (weights + cache) * perSecond / (machine.readGigabytesPerSecond() * 1e9);
        }
        double peak = machine.peak(side.factors());
        return peak > 0 ? cost.operations() * perSecond / (peak * 1e9) : Double.NaN;
    }

    private static int cacheBits(Format format) {
        return format == Format.F32 ? 32 : 16;
    }
}
