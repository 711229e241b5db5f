package io.github.internvl4j.bench.gpu;

import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.cudnn;

/** Statuses of NVIDIA's libraries as exceptions that name the call. */
final class Status {
    private Status() {}

    static void cuda(int status, String call) {
        if (status != cudart.cudaSuccess) {
            throw failure(call, cudart.cudaGetErrorString(status).getString());
        }
    }

    static void cublas(int status, String call) {
        if (status != cublas.CUBLAS_STATUS_SUCCESS) {
            throw failure(call, cublas.cublasGetStatusString(status).getString());
        }
    }

    static void cudnn(int status, String call) {
        if (status != cudnn.CUDNN_STATUS_SUCCESS) {
            throw failure(call, cudnn.cudnnGetErrorString(status).getString());
        }
    }

    private static IllegalStateException failure(String call, String reason) {
        return new IllegalStateException(call + ": " + reason);
    }
}
