package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_BACKEND_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_BOOLEAN;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_INT64;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_VOID_PTR;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendCreateDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendDestroyDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendFinalize;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendGetAttribute;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendSetAttribute;

import org.bytedeco.cuda.cudnn.cudnnBackendDescriptor_t;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** A descriptor of cuDNN's graph API: attributes are set, then it is finished, then others refer to it. */
final class CudnnDescriptor implements AutoCloseable {
    private final cudnnBackendDescriptor_t descriptor = new cudnnBackendDescriptor_t();

    CudnnDescriptor(int type) {
        Status.cudnn(cudnnBackendCreateDescriptor(type, descriptor), "cudnnBackendCreateDescriptor");
    }

    CudnnDescriptor set(int attribute, long... values) {
        try (LongPointer all = new LongPointer(values)) {
            return set(attribute, CUDNN_TYPE_INT64, values.length, all);
        }
    }

    /** A value of one of cuDNN's enumerations, of that type. */
    CudnnDescriptor setEnum(int attribute, int type, int value) {
        try (IntPointer one = new IntPointer(new int[] {value})) {
            return set(attribute, type, 1, one);
        }
    }

    CudnnDescriptor setTrue(int attribute) {
        try (BytePointer one = new BytePointer(new byte[] {1})) {
            return set(attribute, CUDNN_TYPE_BOOLEAN, 1, one);
        }
    }

    CudnnDescriptor setFloat(int attribute, float value) {
        try (FloatPointer one = new FloatPointer(new float[] {value})) {
            return set(attribute, CUDNN_TYPE_FLOAT, 1, one);
        }
    }

    CudnnDescriptor set(int attribute, CudnnDescriptor other) {
        return setPointers(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.descriptor);
    }

    CudnnDescriptor set(int attribute, cudnnContext handle) {
        return setPointers(attribute, CUDNN_TYPE_HANDLE, handle);
    }

    /** Addresses of data. */
    CudnnDescriptor set(int attribute, Pointer... addresses) {
        return setPointers(attribute, CUDNN_TYPE_VOID_PTR, addresses);
    }

    private CudnnDescriptor setPointers(int attribute, int type, Pointer... pointers) {
        try (PointerPointer<Pointer> all = new PointerPointer<>(pointers)) {
            return set(attribute, type, pointers.length, all);
        }
    }

    private CudnnDescriptor set(int attribute, int type, long count, Pointer values) {
        Status.cudnn(cudnnBackendSetAttribute(descriptor, attribute, type, count, values), "cudnnBackendSetAttribute " + attribute);
        return this;
    }

    /** No attribute changes after this. */
    CudnnDescriptor finish() {
        Status.cudnn(tryToFinish(), "cudnnBackendFinalize");
        return this;
    }

    /** The status instead of an exception: how an engine says that it cannot do something. */
    int tryToFinish() {
        return cudnnBackendFinalize(descriptor);
    }

    long get(int attribute) {
        try (LongPointer value = new LongPointer(1)) {
            long[] count = new long[1];
            Status.cudnn(
                    cudnnBackendGetAttribute(descriptor, attribute, CUDNN_TYPE_INT64, 1, count, value),
                    "cudnnBackendGetAttribute " + attribute);
            return value.get();
        }
    }

    /** Fills `into` with what the attribute refers to; returns how many there were. */
    int get(int attribute, CudnnDescriptor... into) {
        try (PointerPointer<Pointer> all = new PointerPointer<>(into.length)) {
            for (int i = 0; i < into.length; i++) {
                all.put(i, into[i].descriptor);
            }
            long[] count = new long[1];
            Status.cudnn(
                    cudnnBackendGetAttribute(descriptor, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, into.length, count, all),
                    "cudnnBackendGetAttribute " + attribute);
            return (int) Math.min(into.length, count[0]);
        }
    }

    cudnnBackendDescriptor_t address() {
        return descriptor;
    }

    @Override
    public void close() {
        cudnnBackendDestroyDescriptor(descriptor);
    }
}
