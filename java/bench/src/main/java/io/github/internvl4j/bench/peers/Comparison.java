package io.github.internvl4j.bench.peers;

import java.util.ArrayList;
import java.util.List;

/**
 * A task in one of our precisions, and every peer's nearest ways of doing it. Peers that multiply bf16 by bf16 are nearest to ours
 * with bf16 activations; the GGML family, which knows nothing else in bf16, stands beside ours without them, too.
 *
 * @param name as the command line takes it
 */
record Comparison(String name, Task task, Side ours, List<Side> peers) {
    private static final List<Side> ONEDNN_F32 = List.of(new Side(Engine.ONEDNN, Format.F32, ""));
    private static final List<Side> ONEDNN_WIDE =
            List.of(new Side(Engine.ONEDNN, Format.BF16, OneDnnMatMul.WIDE_ACTIVATIONS));
    private static final List<Side> ONEDNN_BF16 = List.of(new Side(Engine.ONEDNN, Format.BF16, Side.BF16_ACTIVATIONS));
    private static final List<Side> ONEDNN_INT8 = List.of(
            new Side(Engine.ONEDNN, Format.INT8, OneDnnMatMul.SUMS),
            new Side(Engine.ONEDNN, Format.INT8, OneDnnMatMul.SCALED));

    /** Its f32 products are its BLAS's, its others oneDNN's. */
    private static final List<Side> PYTORCH_F32 = List.of(
            new Side(Engine.PYTORCH, Format.F32, Torch.MKL), new Side(Engine.PYTORCH, Format.F32, Torch.OPENBLAS));

    private static final List<Side> PYTORCH_16_AND_32 =
            with(PYTORCH_F32, List.of(new Side(Engine.PYTORCH, Format.BF16, Torch.MKL)));

    /** Those of the command line. With tiny shapes, to see that all of it works, they have the same names. */
    static List<Comparison> all(boolean tiny) {
        List<Comparison> all = new ArrayList<>();
        matmul(all, Task.matmul(512, 7168, 7168));
        prefill(all, "prefill", Task.prefill("yi-mini", 512));
        // Those in between are the curve's: without PyTorch, which is far off it.
        for (int past : new int[] {0, 256, 1024, 2048, 4000}) {
            decode(all, "decode-" + past, Task.decode("yi-mini", past), past == 0 || past == 1024);
        }
        // A layer each of the 40B model's, in their true sizes.
        prefill(all, "yi-34b-layer-prefill", Task.prefill("yi-34b-layer", 512));
        decode(all, "yi-34b-layer-decode", Task.decode("yi-34b-layer", 0), true);
        // What people download: the decoders of InternVL2.5-1B and -2B with an image of 13 tiles and 64 words.
        for (String shape : List.of("internvl2_5-1b", "internvl2_5-2b")) {
            prefill(all, shape + "-prefill", Task.prefill(shape, 3392));
            decode(all, shape + "-decode", Task.decode(shape, 3392), false);
        }
        vision(all, "vit-300m");
        vision(all, "intern-vit-6b-layer");
        if (tiny) {
            all.replaceAll(full -> new Comparison(full.name, full.task.tiny(), full.ours, full.peers));
        }
        return all;
    }

    private static void matmul(List<Comparison> all, Task task) {
        all.add(new Comparison("matmul-f32", task, Side.ours(Format.F32), ONEDNN_F32));
        all.add(new Comparison("matmul-bf16", task, Side.ours(Format.BF16), ONEDNN_WIDE));
        all.add(new Comparison("matmul-bf16-activations", task, Side.oursWithBf16Activations(), ONEDNN_BF16));
        all.add(new Comparison("matmul-int8", task, Side.ours(Format.INT8), ONEDNN_INT8));
    }

    private static void prefill(List<Comparison> all, String name, Task task) {
        List<Side> ggml = with(ggml(Format.BF16), ggml(Format.F16));
        all.add(new Comparison(name + "-bf16", task, Side.ours(Format.BF16), with(ggml, PYTORCH_F32)));
        all.add(new Comparison(
                name + "-bf16-activations", task, Side.oursWithBf16Activations(), with(ggml, PYTORCH_16_AND_32)));
        all.add(new Comparison(name + "-int8", task, Side.ours(Format.INT8), ggml(Format.Q8_0)));
    }

    /** Without bf16 activations: a token waits for the weights, whatever they are multiplied with. */
    private static void decode(List<Comparison> all, String name, Task task, boolean pytorch) {
        List<Side> ggml = with(ggml(Format.BF16), ggml(Format.F16));
        all.add(new Comparison(
                name + "-bf16", task, Side.ours(Format.BF16), pytorch ? with(ggml, PYTORCH_16_AND_32) : ggml));
        all.add(new Comparison(name + "-int8", task, Side.ours(Format.INT8), ggml(Format.Q8_0)));
    }

    private static void vision(List<Comparison> all, String shape) {
        Task task = Task.vision(shape);
        all.add(new Comparison(shape + "-f32", task, Side.ours(Format.F32), PYTORCH_F32));
        all.add(new Comparison(shape + "-bf16", task, Side.ours(Format.BF16), PYTORCH_F32));
        all.add(new Comparison(shape + "-bf16-activations", task, Side.oursWithBf16Activations(), PYTORCH_16_AND_32));
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
