package io.github.internvl4j.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.List;
import java.util.Random;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.memory.data_type;
import org.bytedeco.dnnl.memory.format_tag;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;

/** oneDNN's matmul, its weights packed beforehand as it likes them. Its threads are OpenMP's: OMP_NUM_THREADS. */
final class OneDnnMatMul implements Contender {
    /** bf16 weights under f32 activations, which oneDNN may round, but multiplies in f32. */
    static final String WIDE_ACTIVATIONS = "f32 activations";

    static final String SUMS = "u8 x s8, sums";
    static final String SCALED = "s8 x s8, a scale a column";

    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream queue = new stream(cpu);
    private final IntMemoryMap arguments = new IntMemoryMap();
    private final matmul product;
    private final String settings;

    OneDnnMatMul(Task task, Side side) {
        long[] size = task.sizes();
        long m = size[0];
        long n = size[1];
        long k = size[2];
        List<data_type> types = types(side);
        primitive_attr attributes = new primitive_attr();
        if (side.variant().equals(WIDE_ACTIVATIONS)) {
            attributes.set_fpmath_mode(dnnl.fpmath_mode.bf16);
        }
        if (side.variant().equals(SCALED)) {
            int byColumn = 1 << 1;
            attributes.set_scales_mask(DNNL_ARG_WEIGHTS, byColumn);
            arguments.put(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, random(new long[] {n}, format_tag.a));
        }
        matmul.primitive_desc chosen = new matmul.primitive_desc(
                cpu,
                new memory.desc(new long[] {m, k}, types.get(0), format_tag.ab),
                new memory.desc(new long[] {k, n}, types.get(1), format_tag.any),
                new memory.desc(new long[] {m, n}, types.get(2), format_tag.ab),
                attributes,
                false);
        String implementation = chosen.impl_info_str().getString();
        // The reference implementation is thousands of times slower: no peer of anybody.
        if (implementation.startsWith("ref")) {
            throw new UnsupportedOperationException(
                    "oneDNN has only its reference implementation (" + implementation + ") here");
        }
        arguments.put(DNNL_ARG_SRC, reordered(random(new long[] {m, k}, format_tag.ab), chosen.src_desc()));
        arguments.put(DNNL_ARG_WEIGHTS, reordered(random(new long[] {k, n}, format_tag.ab), chosen.weights_desc()));
        arguments.put(DNNL_ARG_DST, new memory(chosen.dst_desc(), cpu));
        product = new matmul(chosen);
        dnnl_version_t version = dnnl.dnnl_version();
        settings = "oneDNN %d.%d.%d, %s, packed weights, %s threads"
                .formatted(
                        version.major(),
                        version.minor(),
                        version.patch(),
                        implementation,
                        System.getenv("OMP_NUM_THREADS"));
    }

    /** Of activations, weights and results. */
    private static List<data_type> types(Side side) {
        return switch (side.format()) {
            case F32 -> List.of(data_type.f32, data_type.f32, data_type.f32);
            case BF16 ->
                List.of(side.hasBf16Activations() ? data_type.bf16 : data_type.f32, data_type.bf16, data_type.f32);
            case INT8 ->
                side.variant().equals(SUMS)
                        ? List.of(data_type.u8, data_type.s8, data_type.s32)
                        : List.of(data_type.s8, data_type.s8, data_type.f32);
            case F16, Q8_0 ->
                throw new IllegalArgumentException("oneDNN's products are not compared in " + side.format());
        };
    }

    /** Values that are of use in every type, 0 to 100. */
    private memory random(long[] size, format_tag tag) {
        memory out = new memory(new memory.desc(size, data_type.f32, tag), cpu);
        long count = out.get_desc().get_size() / Float.BYTES;
        Random random = new Random(1);
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 100;
        }
        new FloatPointer(out.get_data_handle()).capacity(count).put(values);
        return out;
    }

    private memory reordered(memory from, memory.desc as) {
        memory to = new memory(as, cpu);
        new reorder(from, to).execute(queue, from, to);
        queue._wait();
        return to;
    }

    @Override
    public double turn() {
        long started = System.nanoTime();
        product.execute(queue, arguments);
        queue._wait();
        return (System.nanoTime() - started) / 1e9;
    }

    @Override
    public String settings() {
        return settings;
    }

    @Override
    public void close() {
        product.close();
        arguments.close();
        queue.close();
        cpu.close();
    }
}
