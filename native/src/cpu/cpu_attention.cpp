// Both towers' attention over the one tiled kernel.
#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"
#include "cpu/cpu_weights.h"
#include "cpu/rows.h"

namespace ivl::cpu {
namespace {

// A key or value as row `at` of a head in a block.
void store(const KernelTable& kernels, char* head, const KvShape& shape, int64_t at, const float* in) {
  char* row = head + static_cast<size_t>(at) * shape.row_bytes();
  if (shape.type == KvType::Int8) {
    auto* scales = reinterpret_cast<float*>(head + shape.scales_offset());
    kernels.narrow_to_int8(reinterpret_cast<int8_t*>(row), scales + at, in, shape.head_dim);
  } else {
    kernels.narrow(row, float_type_of(shape.type), in, shape.head_dim);
  }
}

// A piece of a span's rows and one key/value head.
struct AttentionTask {
  const Span* span;
  int64_t head;
  int64_t first;  // row of the span
  int64_t rows;
};

std::vector<AttentionTask> cut(std::span<const Span> spans, int64_t kv_heads, int64_t group) {
  const int64_t piece = std::max<int64_t>(1, kQueryBlock / group);
  std::vector<AttentionTask> tasks;
  for (const Span& span : spans) {
    for (int64_t head = 0; head < kv_heads; ++head) {
      for (int64_t first = 0; first < span.rows; first += piece) {
        tasks.push_back({&span, head, first, std::min(piece, span.rows - first)});
      }
    }
  }
  return tasks;
}

}  // namespace

void CpuBackend::vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) {
  const int64_t width = heads * head_dim;
  require(qkv.cols == 3 * width && out.cols == width && out.rows == qkv.rows, "vision attention: shapes fit");
  require(head_dim % 8 == 0 && head_dim <= kMaxHeadDim, "vision attention: head_dim is a multiple of 8, at most 256");
  const int64_t tokens = qkv.rows / pictures;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  const float* packed = bf16_activations_ ? packed_heads(qkv, pictures, heads, head_dim) : nullptr;
  const int64_t pieces = (tokens + kQueryBlock - 1) / kQueryBlock;
  pool_.run(pictures * heads * pieces, [&](int64_t task, int thread) {
    const int64_t first = task % pieces * kQueryBlock;
    const int64_t queries = std::min(kQueryBlock, tokens - first);
    const int64_t head = task / pieces;  // of all pictures
    const int64_t row = head / heads * tokens;
    const int64_t col = head % heads * head_dim;
    const float* q = row_of(qkv, row + first) + col;
    float* to = row_of(out, row + first) + col;
    auto* scratch = static_cast<float*>(scratch_[static_cast<size_t>(thread)].attention.data());
    if (packed != nullptr) {
      const float* tiles = packed + head * pair_tiles(tokens) * pair_tile_units(head_dim);
      return kernels_.pair_attention({queries, head_dim, q, qkv.stride, to, out.stride, tiles, tokens, scale, scratch});
    }
    AttentionArgs a{};
    a.positions = queries;
    a.heads = 1;
    a.head_dim = head_dim;
    a.q = q;
    a.q_stride = qkv.stride;
    a.out = to;
    a.out_stride = out.stride;
    const void* const keys = row_of(qkv, row) + width + col;
    a.blocks = &keys;
    a.block_rows = (tokens + kKeyTile - 1) / kKeyTile * kKeyTile;
    a.kv_type = KvType::F32;
    a.kv_stride = qkv.stride;
    a.values = static_cast<size_t>(width) * sizeof(float);
    a.visible = tokens;
    a.visible_step = 0;
    a.scale = scale;
    a.scratch = scratch;
    kernels_.attention(a);
  });
}

const float* CpuBackend::packed_heads(const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) {
  const int64_t width = heads * head_dim;
  const int64_t tokens = qkv.rows / pictures;
  const int64_t tiles = pair_tiles(tokens), units = pair_tile_units(head_dim);
  auto* packed = static_cast<float*>(grown(factor_, static_cast<size_t>(pictures * heads * tiles * units) * sizeof(float)));
  pool_.run(pictures * heads * tiles, [&](int64_t task, int) {
    const int64_t first = task % tiles * kKeyTile;
    const int64_t head = task / tiles;
    const float* keys = row_of(qkv, head / heads * tokens + first) + width + head % heads * head_dim;
    kernels_.pack_pair_tile({keys, keys + width, qkv.stride, std::min(kKeyTile, tokens - first), head_dim, packed + task * units});
  });
  return packed;
}

void CpuBackend::project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope,
                             std::span<const Span> spans, int64_t heads, const KvShape& shape, int64_t layer) {
  matmul(qkv, in, {});
  rope_and_store(qkv, rope, spans, heads, shape, layer, norms);
}

void CpuBackend::rope_and_store(const Matrix& qkv, const Matrix& rope, std::span<const Span> spans, int64_t heads,
                                const KvShape& shape, int64_t layer, const HeadNorms& norms) {
  require(qkv.cols == (heads + 2 * shape.kv_heads) * shape.head_dim, "rope: q, k and v of all heads");
  const auto normalize = [&](float* head, int64_t count, const NormWeights& norm) {
    for (int64_t i = 0; i < count; ++i, head += shape.head_dim) {
      kernels_.rms_norm(head, head, values_of(norm.weight.get()), norm.eps, shape.head_dim);
    }
  };
  for (const Span& span : spans) {
    const int64_t end = span.past + span.rows;
    require(end <= blocks_hold(span.blocks) && span.rope_begin + end <= rope.rows, "rope: positions fit");
    for_rows(span.rows, qkv.cols, [&](int64_t i) {
      const int64_t position = span.past + i;
      float* q = row_of(qkv, span.row + i);
      float* k = q + heads * shape.head_dim;
      const float* v = k + shape.kv_heads * shape.head_dim;
      if (norms.q != nullptr) {
        normalize(q, heads, *norms.q);
        normalize(k, shape.kv_heads, *norms.k);
      }
      kernels_.rotate(q, row_of(rope, span.rope_begin + position), heads + shape.kv_heads, shape.head_dim);
      for (int64_t head = 0; head < shape.kv_heads; ++head) {
        auto* block = static_cast<char*>(span.blocks[static_cast<size_t>(position / kKvBlock)]);
        const int64_t at = position % kKvBlock;
        store(kernels_, block + shape.head_offset(layer, 0, head), shape, at, k + head * shape.head_dim);
        store(kernels_, block + shape.head_offset(layer, 1, head), shape, at, v + head * shape.head_dim);
      }
    });
  }
}

void CpuBackend::cached_attention(const Output& to, const Matrix& qkv, std::span<const Span> spans, int64_t heads,
                                  const KvShape& shape, int64_t layer) {
  const Matrix& out = to.rows;
  require(shape.head_dim % 8 == 0 && shape.head_dim <= kMaxHeadDim, "cached attention: head_dim is a multiple of 8, at most 256");
  const int64_t group = heads / shape.kv_heads;
  // A group larger than a task holds is cut into equal parts that divide it.
  int64_t together = group;
  while (together > kQueryBlock) together = group / (group / together + 1);
  while (group % together != 0) --together;
  const int64_t parts = group / together;
  const std::vector<AttentionTask> tasks = cut(spans, shape.kv_heads * parts, together);
  const auto attend = bf16_activations_ && shape.type == KvType::BF16 ? kernels_.cached_pair_attention : kernels_.attention;
  pool_.run(static_cast<int64_t>(tasks.size()), [&](int64_t index, int thread) {
    const AttentionTask& task = tasks[static_cast<size_t>(index)];
    const Span& span = *task.span;
    const int64_t kv_head = task.head / parts;
    const int64_t first_head = kv_head * group + task.head % parts * together;
    AttentionArgs a{};
    a.positions = task.rows;
    a.heads = together;
    a.head_dim = shape.head_dim;
    a.q = row_of(qkv, span.row + task.first) + first_head * shape.head_dim;
    a.q_stride = qkv.stride;
    a.out = row_of(out, span.row + task.first) + first_head * shape.head_dim;
    a.out_stride = out.stride;
    a.blocks = span.blocks.data();
    a.block_rows = kKvBlock;
    a.kv_type = shape.type;
    a.kv_stride = shape.head_dim;
    a.keys = shape.head_offset(layer, 0, kv_head);
    a.values = shape.head_offset(layer, 1, kv_head);
    a.key_scales = a.keys + shape.scales_offset();
    a.value_scales = a.values + shape.scales_offset();
    a.visible = span.past + task.first + 1;
    a.visible_step = 1;
    a.scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim));
    a.scratch = static_cast<float*>(scratch_[static_cast<size_t>(thread)].attention.data());
    attend(a);
  });
}

}  // namespace ivl::cpu
