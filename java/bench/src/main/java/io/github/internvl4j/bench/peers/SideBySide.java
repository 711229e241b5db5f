package io.github.internvl4j.bench.peers;

import io.github.internvl4j.bench.peers.Trial.Report;
import java.io.File;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One trial: every iteration is a turn of ours and a turn of the peer. {@link TrialRunner} starts it. */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
public class SideBySide {
    /** So that the threads of the side before have gone to sleep: OpenMP's spin for a while. */
    private static final long PAUSE_MILLIS = 250;

    /** The two sides, both loaded. */
    @State(Scope.Benchmark)
    public static class Sides {
        /** The file that describes it. */
        @Param("")
        public String trial;

        private Trial read;
        private @Nullable Ours ours;
        private @Nullable Contender peer;

        @Setup
        public void open() throws Exception {
            read = Json.read(new File(trial), Trial.class);
            try {
                ours = Ours.open(read);
                peer = Contender.open(read, read.peer());
            } catch (Throwable e) {
                // A peer whose library is missing comes here as an Error.
                report(e);
                throw e;
            }
        }

        double turn(boolean isOurs) throws Exception {
            Thread.sleep(PAUSE_MILLIS);
            try {
                return (isOurs ? ours : peer).turn();
            } catch (Throwable e) {
                report(e);
                throw e;
            }
        }

        @TearDown
        public void close() throws Exception {
            report(null);
            peer.close();
            ours.close();
        }

        private void report(@Nullable Throwable failure) throws Exception {
            Json.write(
                    read.report().toFile(),
                    new Report(
                            ours == null ? null : ours.cost(),
                            ours == null ? "" : ours.settings(),
                            peer == null ? "" : peer.settings(),
                            failure == null ? null : Failures.reason(failure)));
        }
    }

    /** What JMH carries to {@link TrialRunner} for each iteration. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Seconds {
        public double ours;
        public double peer;
    }

    @Benchmark
    public void turns(Sides sides, Seconds seconds) throws Exception {
        seconds.ours = sides.turn(true);
        seconds.peer = sides.turn(false);
    }
}
