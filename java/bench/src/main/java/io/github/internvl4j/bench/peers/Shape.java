package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.bench.Shapes;
import java.io.IOException;
import java.io.InputStream;

/** What a peer must know of a config.json in resources/shapes to build the same model. */
final class Shape {
    private Shape() {}

    /**
     * A Llama decoder.
     *
     * @param heads of the queries
     * @param keyHeads of the keys and values
     */
    record Decoder(
            int hidden,
            int mlp,
            int layers,
            int heads,
            int keyHeads,
            int vocabulary,
            int context,
            double theta,
            double epsilon) {
        int headSize() {
            return hidden / heads;
        }

        static Decoder of(String shape) throws IOException {
            JsonNode config = read(shape, "llm_config");
            return new Decoder(
                    config.get("hidden_size").intValue(),
                    config.get("intermediate_size").intValue(),
                    config.get("num_hidden_layers").intValue(),
                    config.get("num_attention_heads").intValue(),
                    config.get("num_key_value_heads").intValue(),
                    config.get("vocab_size").intValue(),
                    config.get("max_position_embeddings").intValue(),
                    config.get("rope_theta").doubleValue(),
                    config.get("rms_norm_eps").doubleValue());
        }
    }

    /**
     * An InternViT tower.
     *
     * @param image pixels on a side
     * @param patch the same
     * @param rmsNorm instead of LayerNorm
     * @param headNorm whether queries and keys are normalized, too
     * @param qkvBias whether their product has a bias
     */
    record Tower(
            int image,
            int patch,
            int hidden,
            int mlp,
            int layers,
            int heads,
            boolean rmsNorm,
            boolean headNorm,
            boolean qkvBias,
            double epsilon) {
        static Tower of(String shape) throws IOException {
            JsonNode config = read(shape, "vision_config");
            return new Tower(
                    config.get("image_size").intValue(),
                    config.get("patch_size").intValue(),
                    config.get("hidden_size").intValue(),
                    config.get("intermediate_size").intValue(),
                    config.get("num_hidden_layers").intValue(),
                    config.get("num_attention_heads").intValue(),
                    config.get("norm_type").textValue().equals("rms_norm"),
                    config.get("qk_normalization").booleanValue(),
                    config.get("qkv_bias").booleanValue(),
                    config.get("layer_norm_eps").doubleValue());
        }
    }

    private static JsonNode read(String shape, String part) throws IOException {
        try (InputStream in = Shapes.config(shape)) {
            return new ObjectMapper().readTree(in).required(part);
        }
    }
}
