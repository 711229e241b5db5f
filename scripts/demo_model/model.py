"""InternVL-Chat-V1-2 in plain PyTorch, with the published parameter names, in the demo's size.

Vision: InternViT (RMSNorm, full-width qk normalization, layer scale), pixel shuffle v1, MLP projector. Language: Llama with
grouped queries. The detector is for training only: it names what lies in each cell of the picture and is not exported.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    image: int = 112
    patch: int = 14
    vision_width: int = 192
    vision_heads: int = 3
    vision_mlp: int = 768
    vision_layers: int = 6
    width: int = 256
    heads: int = 4
    kv_heads: int = 2
    mlp: int = 512
    layers: int = 4
    vocabulary: int = 841
    rope_theta: float = 10000.0

    @property
    def grid(self) -> int:
        return self.image // self.patch

    @property
    def tokens(self) -> int:
        """Rows the language model gets for a picture."""
        return (self.grid // 2) ** 2


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), self.weight.shape, self.weight, self.eps)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """(batch, heads, rows, head) each. Spelled out: for short rows on a CPU its gradient is faster than the fused one's."""
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e4)
    return scores.float().softmax(-1).to(v.dtype) @ v


# ---- vision ------------------------------------------------------------------------------------------------------------


class VisionEmbeddings(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.class_embedding = nn.Parameter(0.02 * torch.randn(1, 1, s.vision_width))
        self.patch_embedding = nn.Conv2d(3, s.vision_width, s.patch, s.patch)
        self.position_embedding = nn.Parameter(0.02 * torch.randn(1, s.grid**2 + 1, s.vision_width))

    def forward(self, pixels: Tensor) -> Tensor:
        # Patches do not overlap, so the convolution is one product.
        patch = self.patch_embedding.kernel_size[0]
        rows = F.pixel_unshuffle(pixels, patch).flatten(2).transpose(1, 2)
        rows = F.linear(rows, self.patch_embedding.weight.flatten(1), self.patch_embedding.bias)
        return torch.cat((self.class_embedding.expand(len(rows), -1, -1), rows), 1) + self.position_embedding


class VisionAttention(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.heads = s.vision_heads
        self.qkv = nn.Linear(s.vision_width, 3 * s.vision_width, bias=False)
        self.q_norm = RMSNorm(s.vision_width, 1e-6)
        self.k_norm = RMSNorm(s.vision_width, 1e-6)
        self.proj = nn.Linear(s.vision_width, s.vision_width)

    def forward(self, x: Tensor) -> Tensor:
        batch, rows, width = x.shape
        q, k, v = self.qkv(x).chunk(3, -1)
        q, k = self.q_norm(q).to(v.dtype), self.k_norm(k).to(v.dtype)
        q, k, v = (t.reshape(batch, rows, self.heads, -1).transpose(1, 2) for t in (q, k, v))
        return self.proj(attend(q, k, v).transpose(1, 2).reshape(batch, rows, width))


class VisionMlp(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.fc1 = nn.Linear(s.vision_width, s.vision_mlp)
        self.fc2 = nn.Linear(s.vision_mlp, s.vision_width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class VisionLayer(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.norm1 = RMSNorm(s.vision_width, 1e-6)
        self.norm2 = RMSNorm(s.vision_width, 1e-6)
        self.attn = VisionAttention(s)
        self.mlp = VisionMlp(s)
        self.ls1 = nn.Parameter(0.5 * torch.ones(s.vision_width))
        self.ls2 = nn.Parameter(0.5 * torch.ones(s.vision_width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x)) * self.ls1
        return x + self.mlp(self.norm2(x)) * self.ls2


class VisionModel(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.embeddings = VisionEmbeddings(s)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(VisionLayer(s) for _ in range(s.vision_layers))

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.embeddings(pixels)
        for layer in self.encoder.layers:
            x = layer(x)
        return x[:, 1:]


def pixel_shuffle(x: Tensor) -> Tensor:
    """(n, g*g, c) -> (n, g*g/4, 4c), version v1: the map stays transposed."""
    n, rows, c = x.shape
    g = round(rows**0.5)
    x = x.reshape(n, g, g // 2, 2 * c).permute(0, 2, 1, 3)
    return x.reshape(n, rows // 4, 4 * c)


# ---- language ------------------------------------------------------------------------------------------------------------


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.float().chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(x.dtype)


class DecoderAttention(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.heads, self.kv_heads = s.heads, s.kv_heads
        head = s.width // s.heads
        self.q_proj = nn.Linear(s.width, s.width, bias=False)
        self.k_proj = nn.Linear(s.width, head * s.kv_heads, bias=False)
        self.v_proj = nn.Linear(s.width, head * s.kv_heads, bias=False)
        self.o_proj = nn.Linear(s.width, s.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        batch, rows, width = x.shape
        q = self.q_proj(x).reshape(batch, rows, self.heads, -1).transpose(1, 2)
        k = self.k_proj(x).reshape(batch, rows, self.kv_heads, -1).transpose(1, 2)
        v = self.v_proj(x).reshape(batch, rows, self.kv_heads, -1).transpose(1, 2)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, 1) for t in (k, v))
        x = attend(q, k, v, mask)
        return self.o_proj(x.transpose(1, 2).reshape(batch, rows, width))


class DecoderMlp(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.gate_proj = nn.Linear(s.width, s.mlp, bias=False)
        self.up_proj = nn.Linear(s.width, s.mlp, bias=False)
        self.down_proj = nn.Linear(s.mlp, s.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.self_attn = DecoderAttention(s)
        self.mlp = DecoderMlp(s)
        self.input_layernorm = RMSNorm(s.width, 1e-5)
        self.post_attention_layernorm = RMSNorm(s.width, 1e-5)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class LanguageModel(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(s.vocabulary, s.width)
        self.model.layers = nn.ModuleList(DecoderLayer(s) for _ in range(s.layers))
        self.model.norm = RMSNorm(s.width, 1e-5)
        self.lm_head = nn.Linear(s.width, s.vocabulary, bias=False)
        half = s.width // s.heads // 2
        frequencies = s.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """x (batch, rows, width), positions (batch, rows), mask (batch, 1, rows, rows), true where a row may look."""
        angles = (positions[..., None].float() * self.frequencies)[:, None]
        cos, sin = angles.cos(), angles.sin()
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return self.model.norm(x)


# ---- the whole -----------------------------------------------------------------------------------------------------------


class Detector(nn.Module):
    """For training only: for every patch, which thing covers it and where that thing's centre is. It is asked twice: of the
    vision tower's patches, and of the language model's rows, each of which holds four patches."""

    # Kind 0 and glyph 0 mean none; `centre` says whether the patch holds the thing's centre.
    HEADS = {"kind": 8, "glyph": 35, "colour": 8, "large": 2, "filled": 2, "zone": 9, "centre": 2}
    OUTPUTS = sum(HEADS.values()) + 2

    def __init__(self, s: Sizes):
        super().__init__()
        self.of_patches = nn.Sequential(nn.LayerNorm(s.vision_width), nn.Linear(s.vision_width, self.OUTPUTS))
        self.of_rows = nn.Sequential(nn.LayerNorm(s.width), nn.Linear(s.width, 4 * self.OUTPUTS))

    def _split(self, outputs: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        *scores, place = outputs.float().split([*self.HEADS.values(), 2], -1)
        return dict(zip(self.HEADS, scores)), place

    def forward(self, patches: Tensor, rows: Tensor) -> list[tuple[dict[str, Tensor], Tensor]]:
        """patches (n, grid * grid, vision width), rows (n, tokens, width) -> for each of the two the scores of each head
        and the centre's x and y, (n, grid * grid, ...), in the patches' order."""
        n, count, _ = patches.shape
        half = round((count / 4) ** 0.5)
        # Pixel shuffle v1 leaves the map transposed: a row is (column / 2, line / 2), its parts (line % 2, column % 2).
        parts = self.of_rows(rows).reshape(n, half, half, 2, 2, self.OUTPUTS).permute(0, 2, 3, 1, 4, 5)
        return [self._split(self.of_patches(patches)), self._split(parts.reshape(n, count, self.OUTPUTS))]


class InternVL(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        self.sizes = s
        self.vision_model = VisionModel(s)
        shuffled = 4 * s.vision_width
        self.mlp1 = nn.Sequential(
            nn.LayerNorm(shuffled), nn.Linear(shuffled, s.width), nn.GELU(), nn.Linear(s.width, s.width)
        )
        self.language_model = LanguageModel(s)
        self.detector = Detector(s)
        self.apply(self._initialize)

    @staticmethod
    def _initialize(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.03)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)

    def project(self, patches: Tensor) -> Tensor:
        """The vision tower's (n, grid * grid, vision width) -> rows of the language model (n, tokens, width)."""
        return self.mlp1(pixel_shuffle(patches))

    def embed(self, ids: Tensor, seen: Tensor | None, context_id: int) -> Tensor:
        """Embeddings of ids (batch, rows); the rows of the pictures are put in, in order."""
        x = self.language_model.model.embed_tokens(ids)
        if seen is None:
            return x
        return x.masked_scatter((ids == context_id)[..., None], seen.to(x.dtype).reshape(-1, x.shape[-1]))


def configuration(s: Sizes) -> dict:
    """config.json as the published checkpoint has it."""
    return {
        "architectures": ["InternVLChatModel"], "model_type": "internvl_chat", "downsample_ratio": 0.5,
        "dynamic_image_size": False, "force_image_size": s.image, "max_dynamic_patch": 6, "min_dynamic_patch": 1,
        "pad2square": False, "ps_version": "v1", "select_layer": -1, "template": "Hermes-2", "torch_dtype": "bfloat16",
        "use_backbone_lora": 0, "use_llm_lora": 0, "use_thumbnail": False,
        "llm_config": {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "bos_token_id": 1,
            "eos_token_id": 7, "pad_token_id": 0, "hidden_act": "silu", "hidden_size": s.width,
            "intermediate_size": s.mlp, "num_hidden_layers": s.layers, "num_attention_heads": s.heads,
            "num_key_value_heads": s.kv_heads, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
            "rope_theta": s.rope_theta, "rope_scaling": None, "tie_word_embeddings": False,
            "vocab_size": s.vocabulary, "use_cache": True, "initializer_range": 0.02,
        },
        "vision_config": {
            "architectures": ["InternVisionModel"], "model_type": "intern_vit_6b", "attention_dropout": 0.0,
            "drop_path_rate": 0.0, "dropout": 0.0, "hidden_act": "gelu", "hidden_size": s.vision_width,
            "image_size": s.image, "initializer_factor": 0.1, "initializer_range": 1e-10,
            "intermediate_size": s.vision_mlp, "layer_norm_eps": 1e-6, "norm_type": "rms_norm",
            "num_attention_heads": s.vision_heads, "num_channels": 3, "num_hidden_layers": s.vision_layers,
            "patch_size": s.patch, "qk_normalization": True, "qkv_bias": False, "use_flash_attn": True,
        },
    }
