package io.github.internvl4j.bench.peers;

import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.silu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A Llama decoder of PyTorch's operations, with the products that share an input made in one, and nothing around them. */
final class TorchDecoder implements Contender {
    /** The caches are (1, key heads, context, head size). */
    private record Layer(
            Tensor attentionNorm,
            Tensor qkv,
            Tensor output,
            Tensor mlpNorm,
            Tensor gateUp,
            Tensor down,
            Tensor keys,
            Tensor values) {}

    private final Task task;
    private final Torch torchSide;
    private final Shape.Decoder shape;
    private final NoGradGuard inference = new NoGradGuard();
    private final Tensor embeddings;
    private final List<Layer> layers = new ArrayList<>();
    private final Tensor norm;
    private final Tensor head;
    private final Tensor cosines;
    private final Tensor sines;
    private int past;
    private long token;

    TorchDecoder(Trial trial) throws IOException {
        task = trial.task();
        torchSide = new Torch(trial);
        shape = Shape.Decoder.of(task.shape());
        embeddings = torchSide.weights(shape.vocabulary(), shape.hidden());
        int cached = shape.keyHeads() * shape.headSize();
        for (int i = 0; i < shape.layers(); i++) {
            layers.add(new Layer(
                    torchSide.ones(shape.hidden()),
                    torchSide.weights(shape.hidden() + 2L * cached, shape.hidden()),
                    torchSide.weights(shape.hidden(), shape.hidden()),
                    torchSide.ones(shape.hidden()),
                    torchSide.weights(2L * shape.mlp(), shape.hidden()),
                    torchSide.weights(shape.hidden(), shape.mlp()),
                    cache(),
                    cache()));
        }
        norm = torchSide.ones(shape.hidden());
        head = torchSide.weights(shape.vocabulary(), shape.hidden());
        // theta^(-2i/d) at each position, the same for both halves of a head.
        Tensor powers = torch.arange(new Scalar(shape.headSize() / 2)).mul(new Scalar(-2.0 / shape.headSize()));
        Tensor frequencies = torch.pow(new Scalar(shape.theta()), powers);
        Tensor positions = torch.arange(new Scalar(shape.context()));
        Tensor angles = torch.outer(positions, torch.cat(new TensorVector(frequencies, frequencies)));
        cosines = torchSide.cast(angles.cos());
        sines = torchSide.cast(angles.sin());
    }

    private Tensor cache() {
        return torchSide.cast(torch.zeros(1, shape.keyHeads(), shape.context(), shape.headSize()));
    }

    @Override
    public double turn() {
        return task.kind() == Task.Kind.PREFILL ? prefill(task.tokens()) : decode();
    }

    private double prefill(int tokens) {
        Tensor prompt = torch.arange(new Scalar(tokens)).to(torch.ScalarType.Long);
        past = 0;
        long started = System.nanoTime();
        Torch.scoped(() -> forward(prompt));
        return (System.nanoTime() - started) / 1e9;
    }

    private double decode() {
        if (past == 0) {
            prefill(Math.max(1, task.tokens()));
        }
        long started = System.nanoTime();
        for (int i = 0; i < TOKENS_A_TURN; i++) {
            Torch.scoped(
                    () -> forward(torch.full(new long[] {1}, new Scalar(token)).to(torch.ScalarType.Long)));
        }
        return (System.nanoTime() - started) / 1e9 / TOKENS_A_TURN;
    }

    /** Appends the tokens (n) to the cache and takes the most likely next one. */
    private void forward(Tensor ids) {
        long n = ids.size(0);
        Tensor x = torch.embedding(embeddings, ids);
        for (Layer layer : layers) {
            Torch.scoped(() -> {
                x.add_(attention(layer, Torch.rmsNorm(x, layer.attentionNorm(), shape.epsilon())));
                Tensor gateUp = linear(Torch.rmsNorm(x, layer.mlpNorm(), shape.epsilon()), layer.gateUp());
                Tensor gate = silu(gateUp.narrow(1, 0, shape.mlp()));
                x.add_(linear(gate.mul_(gateUp.narrow(1, shape.mlp(), shape.mlp())), layer.down()));
            });
        }
        past += (int) n;
        Tensor logits = linear(Torch.rmsNorm(x.narrow(0, n - 1, 1), norm, shape.epsilon()), head);
        token = logits.argmax().item_long();
    }

    private Tensor attention(Layer layer, Tensor x) {
        long n = x.size(0);
        int size = shape.headSize();
        Tensor qkv = linear(x, layer.qkv()).view(1, n, -1, size).transpose(1, 2); // (1, heads, n, head size)
        Tensor q = rotated(qkv.narrow(1, 0, shape.heads()));
        layer.keys().narrow(2, past, n).copy_(rotated(qkv.narrow(1, shape.heads(), shape.keyHeads())));
        layer.values()
                .narrow(2, past, n)
                .copy_(qkv.narrow(1, shape.heads() + (long) shape.keyHeads(), shape.keyHeads()));
        Tensor mixed = torch.scaled_dot_product_attention(
                q,
                layer.keys().narrow(2, 0, past + n),
                layer.values().narrow(2, 0, past + n),
                new TensorOptional(),
                0,
                n > 1, // a whole prompt from its beginning, else one token that sees all
                new DoubleOptional(),
                true);
        return linear(mixed.transpose(1, 2).reshape(n, shape.hidden()), layer.output());
    }

    /** RoPE on (1, heads, n, head size). */
    private Tensor rotated(Tensor x) {
        long n = x.size(2);
        long half = shape.headSize() / 2;
        Tensor turned = torch.cat(new TensorVector(x.narrow(3, half, half).neg(), x.narrow(3, 0, half)), 3);
        return x.mul(cosines.narrow(0, past, n)).add_(turned.mul_(sines.narrow(0, past, n)));
    }

    @Override
    public String settings() {
        return torchSide.settings();
    }

    @Override
    public void close() {
        inference.close();
    }
}
