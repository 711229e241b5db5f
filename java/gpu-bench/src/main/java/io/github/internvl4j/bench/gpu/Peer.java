package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudart.cudaDeviceSynchronize;

/** One operation of another library on the same GPU. */
abstract class Peer implements AutoCloseable {
    /** Queues it once. */
    abstract void queue();

    /** So many, one queued behind another; done when it returns. */
    void run(int runs) {
        for (int i = 0; i < runs; i++) {
            queue();
        }
        Status.cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    @Override
    public abstract void close();
}
