#include "model/work.h"

namespace ivl {
namespace {

double vision_operations(const ModelConfig& config) {
  const VisionConfig& v = config.vision;
  const auto tokens = static_cast<double>(config.vision_tokens());
  const auto width = static_cast<double>(v.hidden);
  const auto patches = static_cast<double>(config.grid() * config.grid());
  const double patch_embedding = 2 * patches * width * static_cast<double>(v.channels * v.patch * v.patch);
  const double block = 2 * tokens * width * (4 * width + 2 * static_cast<double>(v.mlp)) + 4 * tokens * tokens * width;
  const auto projected = static_cast<double>(config.tokens_per_image());
  const auto hidden = static_cast<double>(config.language.hidden);
  const double projector = 2 * projected * hidden * (static_cast<double>(config.projector_in()) + hidden);
  return patch_embedding + static_cast<double>(config.vision_layers_used()) * block + projector;
}

}  // namespace

Work count_work(const ModelConfig& config, size_t weight_size, KvType cache) {
  const LanguageConfig& l = config.language;
  const int64_t attention = l.hidden * l.head_dim * (2 * l.heads + 2 * l.kv_heads);
  const auto layers = static_cast<double>(l.layers * (attention + 3 * l.hidden * l.mlp));
  const auto head = static_cast<double>(l.hidden * l.vocab);
  const auto picked = static_cast<double>(l.hidden * (l.heads * l.head_dim + 3 * l.mlp));  // LlamaDecoder::run_last_layer
  Work work;
  work.vision_operations = vision_operations(config);
  work.operations_per_token = 2 * (layers - picked);
  work.attention_operations_per_key = 4 * static_cast<double>(l.layers * l.heads * l.head_dim);
  work.head_operations = 2 * (picked + head);
  work.weight_bytes = (layers + head) * static_cast<double>(weight_size);
  work.kv_bytes_per_key = static_cast<double>(KvShape{l.layers, l.kv_heads, l.head_dim, cache}.bytes_per_token());
  return work;
}

}  // namespace ivl
