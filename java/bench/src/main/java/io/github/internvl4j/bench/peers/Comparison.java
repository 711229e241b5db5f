package io.github.internvl4j.bench.peers;

import java.util.ArrayList;
import java.util.List;

/**
 * A task in one of our precisions, and every peer's nearest ways of doing it.
 *
 * @param name as the command line takes it
 */
record Comparison(String name, Task task, Side ours, List<Side> peers) {
    private static final List<Side> ONEDNN_F32 = List.of(new Side(Engine.ONEDNN, Format.F32, ""));
    private static final List<Side> ONEDNN_BF16 = List.of(
            new Side(Engine.ONEDNN, Format.BF16, OneDnnMatMul.WIDE_ACTIVATIONS),
            new Side(Engine.ONEDNN, Format.BF16, OneDnnMatMul.BF16_ACTIVATIONS));
    private static final List<Side> ONEDNN_INT8 = List.of(
            new Side(Engine.ONEDNN, Format.INT8, OneDnnMatMul.SUMS),
            new Side(Engine.ONEDNN, Format.INT8, OneDnnMatMul.SCALED));

    /** Its f32 products are its BLAS's, its others oneDNN's. */
    private static final List<Side> PYTORCH_F32 = List.of(
            new Side(Engine.PYTORCH, Format.F32, Torch.MKL), new Side(Engine.PYTORCH, Format.F32, Torch.OPENBLAS));

    private static final List<Side> PYTORCH_16_AND_32 =
            with(PYTORCH_F32, List.of(new Side(Engine.PYTORCH, Format.BF16, Torch.MKL)));

    /** The shapes, or next to nothing to see that all of it works. */
    static List<Comparison> all(boolean quick) {
        return quick ? quick() : full();
    }

    private static List<Comparison> full() {
        List<Comparison> all = new ArrayList<>();
        matmul(all, Task.matmul(512, 7168, 7168));
        decoder(all, "prefill", Task.prefill("yi-mini", 512), true);
        // Those in between are the curve's: without PyTorch, which is far off it.
        for (int past : new int[] {0, 256, 1024, 2048, 4000}) {
            decoder(all, "decode-" + past, Task.decode("yi-mini", past), past == 0 || past == 1024);
        }
        vision(all, "vit-300m");
        vision(all, "intern-vit-6b-layer");
        return all;
    }

    private static List<Comparison> quick() {
        List<Comparison> all = new ArrayList<>();
        matmul(all, Task.matmul(16, 128, 64));
        decoder(all, "prefill", Task.prefill("tiny", 32), true);
        decoder(all, "decode-0", Task.decode("tiny", 0), true);
        decoder(all, "decode-64", Task.decode("tiny", 64), false);
        vision(all, "tiny");
        return all;
    }

    private static void matmul(List<Comparison> all, Task task) {
        all.add(new Comparison("matmul-f32", task, Side.ours(Format.F32), ONEDNN_F32));
        all.add(new Comparison("matmul-bf16", task, Side.ours(Format.BF16), ONEDNN_BF16));
        all.add(new Comparison("matmul-int8", task, Side.ours(Format.INT8), ONEDNN_INT8));
    }

    private static void decoder(List<Comparison> all, String name, Task task, boolean pytorch) {
        List<Side> wide = with(ggml(Format.BF16), ggml(Format.F16));
        all.add(new Comparison(
                name + "-bf16", task, Side.ours(Format.BF16), pytorch ? with(wide, PYTORCH_16_AND_32) : wide));
        all.add(new Comparison(name + "-int8", task, Side.ours(Format.INT8), ggml(Format.Q8_0)));
    }

    private static void vision(List<Comparison> all, String shape) {
        Task task = Task.vision(shape);
        all.add(new Comparison(shape + "-f32", task, Side.ours(Format.F32), PYTORCH_F32));
        all.add(new Comparison(shape + "-bf16", task, Side.ours(Format.BF16), PYTORCH_16_AND_32));
    }

    /** Both engines of that family, with flash attention and without. */
    private static List<Side> ggml(Format format) {
        List<Side> sides = new ArrayList<>();
        for (Engine engine : List.of(Engine.LLAMA_CPP, Engine.IK_LLAMA_CPP)) {
            sides.add(new Side(engine, format, LlamaCpp.FLASH));
            sides.add(new Side(engine, format, ""));
        }
        return sides;
    }

    private static List<Side> with(List<Side> some, List<Side> others) {
        List<Side> all = new ArrayList<>(some);
        all.addAll(others);
        return List.copyOf(all);
    }
}
