package io.github.internvl4j.bench.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A Llama model with random weights as a GGUF file. */
final class RandomGguf {
    private static final int NORMAL_TOKEN = 1;
    private static final int UNKNOWN_TOKEN = 2;
    private static final int CONTROL_TOKEN = 3;
    private static final int BYTE_TOKEN = 6;

    private final Shape.Decoder shape;
    private final GgufType type;
    private final GgufWriter file = new GgufWriter();
    private long random = 1;

    private RandomGguf(Shape.Decoder shape, GgufType type) {
        this.shape = shape;
        this.type = type;
    }

    /** The file of this shape and format in the folder, written if it is not there. */
    static Path in(Path folder, String shape, Format format) throws IOException {
        Path file = folder.resolve(shape + "-" + format + ".gguf");
        if (!Files.exists(file)) {
            Files.createDirectories(folder);
            write(file, Shape.Decoder.of(shape), GgufType.valueOf(format.name()));
        }
        return file;
    }

    static void write(Path file, Shape.Decoder shape, GgufType type) throws IOException {
        RandomGguf model = new RandomGguf(shape, type);
        model.architecture();
        model.tokenizer();
        model.weights();
        model.file.write(file);
    }

    private void architecture() {
        file.metadata("general.architecture", "llama")
                .metadata("general.name", "random weights")
                .metadata("general.file_type", fileType())
                .metadata("llama.context_length", shape.context())
                .metadata("llama.embedding_length", shape.hidden())
                .metadata("llama.block_count", shape.layers())
                .metadata("llama.feed_forward_length", shape.mlp())
                .metadata("llama.attention.head_count", shape.heads())
                .metadata("llama.attention.head_count_kv", shape.keyHeads())
                .metadata("llama.attention.layer_norm_rms_epsilon", (float) shape.epsilon())
                .metadata("llama.rope.dimension_count", shape.headSize())
                .metadata("llama.rope.freq_base", (float) shape.theta())
                .metadata("llama.vocab_size", shape.vocabulary());
    }

    private int fileType() {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q8_0 -> 7;
            case BF16 -> 32;
        };
    }

    private void tokenizer() {
        List<String> pieces = OneCharacterTokens.pieces(shape.vocabulary());
        int[] types = new int[pieces.size()];
        Arrays.fill(types, NORMAL_TOKEN);
        System.arraycopy(
                new int[] {UNKNOWN_TOKEN, CONTROL_TOKEN, CONTROL_TOKEN, BYTE_TOKEN},
                0,
                types,
                0,
                OneCharacterTokens.FIRST);
        file.metadata("tokenizer.ggml.model", "llama")
                .metadata("tokenizer.ggml.tokens", pieces)
                .metadata("tokenizer.ggml.scores", new float[pieces.size()])
                .metadata("tokenizer.ggml.token_type", types)
                .metadata("tokenizer.ggml.unknown_token_id", 0)
                .metadata("tokenizer.ggml.bos_token_id", 1)
                .metadata("tokenizer.ggml.eos_token_id", 2)
                .metadata("tokenizer.ggml.add_bos_token", false)
                .metadata("tokenizer.ggml.add_space_prefix", false);
    }

    private void weights() {
        int hidden = shape.hidden();
        int mlp = shape.mlp();
        int keys = shape.keyHeads() * shape.headSize();
        linear("token_embd", hidden, shape.vocabulary());
        for (int layer = 0; layer < shape.layers(); layer++) {
            String block = "blk." + layer + ".";
            norm(block + "attn_norm");
            linear(block + "attn_q", hidden, hidden);
            linear(block + "attn_k", hidden, keys);
            linear(block + "attn_v", hidden, keys);
            linear(block + "attn_output", hidden, hidden);
            norm(block + "ffn_norm");
            linear(block + "ffn_gate", hidden, mlp);
            linear(block + "ffn_up", hidden, mlp);
            linear(block + "ffn_down", mlp, hidden);
        }
        norm("output_norm");
        linear("output", hidden, shape.vocabulary());
    }

    /** GGML multiplies norms in f32 only. */
    private void norm(String name) {
        file.tensor(name + ".weight", GgufType.F32, values -> Arrays.fill(values, 1), shape.hidden());
    }

    /** Of a variance that keeps the size of what passes through. */
    private void linear(String name, int inputs, int outputs) {
        float scale = (float) Math.sqrt(3.0 / inputs);
        file.tensor(name + ".weight", type, values -> uniform(values, scale), inputs, outputs);
    }

    /** A xorshift of Marsaglia's: a file has a thousand million values. */
    private void uniform(float[] values, float scale) {
        long state = random;
        for (int i = 0; i < values.length; i++) {
            state ^= state << 13;
            state ^= state >>> 7;
            state ^= state << 17;
            values[i] = (int) state * 0x1p-31f * scale;
        }
        random = state;
    }
}
