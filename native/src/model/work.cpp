#include "model/work.h"

#include "model/decoder.h"
#include "model/param.h"

namespace ivl {
namespace {

// Weights that a row is multiplied with; of experts, those that it passes.
double multiplied(std::span<const Param> params, const Experts& experts = {}, bool behind_attention = false) {
  int64_t elements = 0, of_experts = 0;
  for (const Param& param : params) {
    if (param.role != Role::Linear || (behind_attention && param.use == Use::Qkv)) continue;
    (param.expert < 0 ? elements : of_experts) += param.elements();
  }
  const double passed = experts.count == 0 ? 0 : static_cast<double>(experts.per_token) / static_cast<double>(experts.count);
  return static_cast<double>(elements) + passed * static_cast<double>(of_experts);
}

double vision_operations(const ModelConfig& config, const ParamTable& params) {
  const auto tokens = static_cast<double>(config.vision_tokens());
  const auto patches = static_cast<double>(config.grid() * config.grid());
  const auto projected = static_cast<double>(config.tokens_per_image());
  const double attention = 4 * tokens * tokens * static_cast<double>(config.vision.hidden);
  const double block = 2 * tokens * multiplied(params.of(Part::VisionBlock)) + attention;
  return 2 * patches * multiplied(params.of(Part::VisionEmbeddings)) + static_cast<double>(config.vision_layers_used()) * block +
         2 * projected * multiplied(params.of(Part::Projector));
}

}  // namespace

Work count_work(const ModelConfig& config, double weight_size, KvType cache) {
  const LanguageConfig& l = config.language;
  const ParamTable params(config);
  double layers = 0;
  for (int64_t i = 0; i < l.layers; ++i) layers += multiplied(params.of(Part::DecoderLayer, i), l.experts);
  const double head = multiplied(params.of(Part::Head));
  const double picked = multiplied(params.of(Part::DecoderLayer, l.layers - 1), l.experts, true);  // Decoder::run_last_layer
  Work work;
  work.vision_operations = vision_operations(config, params);
  work.operations_per_token = 2 * (layers - picked);
  work.attention_operations_per_key = 4 * static_cast<double>(l.layers * l.heads * l.head_dim);
  work.head_operations = 2 * (picked + head);
  work.weight_bytes = (layers + head) * weight_size;
  work.kv_bytes_per_key = static_cast<double>(Decoder::kv_shape(l, l.layers, cache).bytes_per_token());
  return work;
}

}  // namespace ivl
