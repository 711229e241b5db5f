package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudart.cudaDeviceSynchronize;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_COMP_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_CONV_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_DILATIONS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_POST_PADDINGS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_CROSS_CORRELATION;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_CONVOLUTION_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_DATA_TYPE;

import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;

/**
 * cuDNN's convolution of one image's patches in bf16, adding up in f32. Pixels, weights and the result have their channels
 * together, as its kernels for tensor cores want them; bringing the pixels there is not counted.
 */
final class CudnnPatches extends CudnnOperation {
    private static final long[] IDS = {1, 2, 3};
    private static final int PATCHES = Image.GRID * Image.GRID;

    private final DeviceMemory out = owning(new DeviceMemory((long) PATCHES * Image.WIDTH * Short.BYTES));

    CudnnPatches() {
        this(
                DeviceMemory.randomBf16((long) Image.CHANNELS * Image.SIDE * Image.SIDE, 1),
                DeviceMemory.randomBf16((long) Image.WIDTH * Image.CHANNELS * Image.PATCH * Image.PATCH, 2));
    }

    /** Of bf16 values as ours has them, channel by channel: (1, channels * side^2) and (width, channels * patch^2). */
    CudnnPatches(Tensor pixels, Tensor weights) {
        this(
                DeviceMemory.ofBf16(channelsLast(pixels, 1, Image.SIDE * Image.SIDE)),
                DeviceMemory.ofBf16(channelsLast(weights, Image.WIDTH, Image.PATCH * Image.PATCH)));
    }

    private CudnnPatches(DeviceMemory pixels, DeviceMemory weights) {
        owning(pixels);
        owning(weights);
        CudnnDescriptor convolution = made(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
                .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2)
                .setEnum(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
                .setEnum(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
                .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0, 0)
                .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0, 0)
                .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1, 1)
                .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Image.PATCH, Image.PATCH)
                .finish();
        CudnnDescriptor operation = made(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
                .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
                .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, square(IDS[0], 1, Image.CHANNELS, Image.SIDE))
                .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, square(IDS[1], Image.WIDTH, Image.CHANNELS, Image.PATCH))
                .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, square(IDS[2], 1, Image.WIDTH, Image.GRID))
                .setFloat(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1)
                .setFloat(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0)
                .finish();
        prepare(operation, IDS, pixels.address(), weights.address(), out.address());
    }

    /** (count, channels, side, side) with the channels of a place together. */
    private CudnnDescriptor square(long id, long count, long channels, long side) {
        return tensor(
                id,
                new long[] {count, channels, side, side},
                new long[] {channels * side * side, 1, channels * side, channels});
    }

    /** (count, channels, places) to (count, places, channels). */
    private static Tensor channelsLast(Tensor values, int count, int places) {
        Tensor turned = Tensor.allocate(values.shape());
        FloatBuffer from = values.data();
        FloatBuffer to = turned.data();
        for (int i = 0; i < count; i++) {
            for (int place = 0; place < places; place++) {
                for (int channel = 0; channel < Image.CHANNELS; channel++) {
                    to.put(from.get((i * Image.CHANNELS + channel) * places + place));
                }
            }
        }
        return turned;
    }

    /** What came out: (patches, width). */
    Tensor result() {
        Status.cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        return out.readBf16(PATCHES, Image.WIDTH, Image.WIDTH);
    }
}
