package io.github.internvl4j.bench.peers;

import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.linear;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** InternViT of PyTorch's operations, without the projector, which in these shapes is next to nothing. */
final class TorchTower implements Contender {
    private record Norm(Tensor weight, Tensor bias) {}

    /** A product; the bias may be absent. */
    private record Linear(Tensor weight, TensorOptional bias) {
        Tensor of(Tensor x) {
            return linear(x, weight, bias);
        }
    }

    /** The last of each branch is its layer scale. */
    private record Layer(
            Norm attentionNorm,
            Linear qkv,
            Tensor queryNorm,
            Tensor keyNorm,
            Linear output,
            Tensor attentionScale,
            Norm mlpNorm,
            Linear up,
            Linear down,
            Tensor mlpScale) {}

    private final Torch torchSide;
    private final Shape.Tower shape;
    private final NoGradGuard inference = new NoGradGuard();
    private final Tensor pixels;
    private final Tensor patches;
    private final Tensor patchBias;
    private final Tensor classToken;
    private final Tensor positions;
    private final List<Layer> layers = new ArrayList<>();

    TorchTower(Trial trial) throws IOException {
        torchSide = new Torch(trial);
        shape = Shape.Tower.of(trial.task().shape());
        int hidden = shape.hidden();
        long grid = shape.image() / shape.patch();
        pixels = torchSide.uniform(1, 1, 3, shape.image(), shape.image());
        patches = torchSide.uniform(0.05, hidden, 3, shape.patch(), shape.patch());
        patchBias = torchSide.uniform(0.05, hidden);
        classToken = torchSide.uniform(1, 1, 1, hidden);
        positions = torchSide.uniform(1, 1, grid * grid + 1, hidden);
        for (int i = 0; i < shape.layers(); i++) {
            layers.add(new Layer(
                    norm(),
                    product(3 * hidden, hidden, shape.qkvBias()),
                    torchSide.ones(hidden),
                    torchSide.ones(hidden),
                    product(hidden, hidden, true),
                    torchSide.ones(hidden),
                    norm(),
                    product(shape.mlp(), hidden, true),
                    product(hidden, shape.mlp(), true),
                    torchSide.ones(hidden)));
        }
    }

    private Norm norm() {
        return new Norm(torchSide.ones(shape.hidden()), torchSide.uniform(0.05, shape.hidden()));
    }

    private Linear product(int outputs, int inputs, boolean bias) {
        return new Linear(
                torchSide.weights(outputs, inputs),
                bias ? new TensorOptional(torchSide.uniform(0.05, outputs)) : new TensorOptional());
    }

    @Override
    public double turn() {
        long started = System.nanoTime();
        Torch.scoped(this::forward);
        return (System.nanoTime() - started) / 1e9;
    }

    private void forward() {
        long stride = shape.patch();
        Tensor embedded = torch.conv2d(
                pixels,
                patches,
                new TensorOptional(patchBias),
                new long[] {stride, stride},
                new long[] {0, 0},
                new long[] {1, 1},
                1);
        Tensor x = torch.cat(new TensorVector(classToken, embedded.flatten(2, 3).transpose(1, 2)), 1)
                .add_(positions);
        for (Layer layer : layers) {
            Torch.scoped(() -> {
                x.add_(attention(layer, normed(x, layer.attentionNorm())).mul_(layer.attentionScale()));
                Tensor up = gelu(layer.up().of(normed(x, layer.mlpNorm())));
                x.add_(layer.down().of(up).mul_(layer.mlpScale()));
            });
        }
    }

    private Tensor normed(Tensor x, Norm norm) {
        if (shape.rmsNorm()) {
            return Torch.rmsNorm(x, norm.weight(), shape.epsilon());
        }
        long[] size = {shape.hidden()};
        return torch.layer_norm(
                x, size, new TensorOptional(norm.weight()), new TensorOptional(norm.bias()), shape.epsilon(), true);
    }

    private Tensor attention(Layer layer, Tensor x) {
        TensorVector qkv = layer.qkv().of(x).chunk(3, 2);
        Tensor q = qkv.get(0);
        Tensor k = qkv.get(1);
        if (shape.headNorm()) {
            q = Torch.rmsNorm(q, layer.queryNorm(), shape.epsilon());
            k = Torch.rmsNorm(k, layer.keyNorm(), shape.epsilon());
        }
        Tensor mixed = torch.scaled_dot_product_attention(
                heads(q), heads(k), heads(qkv.get(2)), new TensorOptional(), 0, false, new DoubleOptional(), false);
        return layer.output().of(mixed.transpose(1, 2).reshape(1, -1, shape.hidden()));
    }

    /** (1, n, hidden) as (1, heads, n, head size). */
    private Tensor heads(Tensor x) {
        return x.reshape(1, -1, shape.heads(), shape.hidden() / shape.heads()).transpose(1, 2);
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
