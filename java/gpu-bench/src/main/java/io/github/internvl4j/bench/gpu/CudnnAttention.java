package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudart.cudaDeviceSynchronize;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_IS_BY_VALUE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_STRIDES;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_DATA_TYPE;

import io.github.internvl4j.tensor.Tensor;
import org.bytedeco.javacpp.FloatPointer;

/**
 * cuDNN's fused attention of one image without a mask, in bf16, over queries, keys and values that lie side by side as ours do:
 * the graph API's SDPA operation, which cuDNN has from 9.13 on.
 */
final class CudnnAttention extends CudnnOperation {
    private static final long[] IDS = {1, 2, 3, 4, 5};

    private final DeviceMemory out = owning(new DeviceMemory((long) Image.TOKENS * Image.WIDTH * Short.BYTES));
    private final FloatPointer scale = new FloatPointer(new float[] {(float) (1 / Math.sqrt(Image.HEAD_DIM))});

    CudnnAttention() {
        this(DeviceMemory.randomBf16(3L * Image.TOKENS * Image.WIDTH, 1));
    }

    /** Of bf16 values (tokens, 3 * width). */
    CudnnAttention(Tensor qkv) {
        this(DeviceMemory.ofBf16(qkv));
    }

    private CudnnAttention(DeviceMemory qkv) {
        owning(qkv);
        long stride = 3L * Image.WIDTH;
        CudnnDescriptor operation = made(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR)
                .set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, rows(IDS[0], stride))
                .set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, rows(IDS[1], stride))
                .set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, rows(IDS[2], stride))
                .set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, rows(IDS[3], Image.WIDTH))
                .set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, onHost(IDS[4]))
                .finish();
        long width = (long) Image.WIDTH * Short.BYTES;
        prepare(operation, IDS, qkv.address(), qkv.at(width), qkv.at(2 * width), out.address(), scale);
    }

    /** (1, heads, tokens, head size), a token's rows so many elements apart. */
    private CudnnDescriptor rows(long id, long stride) {
        return tensor(
                id,
                new long[] {1, Image.HEADS, Image.TOKENS, Image.HEAD_DIM},
                new long[] {stride * Image.TOKENS, Image.HEAD_DIM, stride, 1});
    }

    /** One f32 that the host has. */
    private CudnnDescriptor onHost(long id) {
        return made(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
                .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
                .setEnum(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
                .set(CUDNN_ATTR_TENSOR_DIMENSIONS, 1, 1, 1, 1)
                .set(CUDNN_ATTR_TENSOR_STRIDES, 1, 1, 1, 1)
                .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, Float.BYTES)
                .setTrue(CUDNN_ATTR_TENSOR_IS_BY_VALUE)
                .finish();
    }

    /** What came out: (tokens, width). */
    Tensor result() {
        Status.cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        return out.readBf16(Image.TOKENS, Image.WIDTH, Image.WIDTH);
    }
}
