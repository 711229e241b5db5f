#include "model/memory_plan.h"

#include "checkpoint/weights.h"
#include "model/internvl_chat.h"

namespace ivl {
namespace {

int64_t elements(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t dim : shape) size *= dim;
  return size;
}

// Vectors (norms, biases, layer scales) are always widened to f32 of our own.
bool is_vector(const std::string& name, const std::vector<int64_t>& shape) {
  return shape.size() == 1 || name.find("class_embedding") != std::string::npos ||
         name.find("position_embedding") != std::string::npos;
}

MemoryPlan plan_activations(const ModelConfig& config, DType type) {
  constexpr DType kActivation = DType::F32;
  const LanguageConfig& language = config.language;
  const KvShape kv{language.layers, language.kv_heads, language.head_dim, type};
  MemoryPlan plan;
  plan.kv_cache_per_token = static_cast<int64_t>(kv.bytes_per_token());
  plan.kv_cache = plan.kv_cache_per_token * language.context;
  const int64_t rope = language.context * language.head_dim * static_cast<int64_t>(sizeof(float));
  plan.scratch = LlamaDecoder::workspace_bytes(config, kChunkRows, 1, kActivation) + rope;
  plan.pictures_together = InternVLChat::pictures_together(config);
  const int64_t pixels = plan.pictures_together * config.vision.channels * config.image_size * config.image_size;
  plan.picture_batch = 2 * pixels * static_cast<int64_t>(sizeof(float)) +
                       InternVit::workspace_bytes(config, plan.pictures_together, kActivation) +
                       Projector::workspace_bytes(config, plan.pictures_together, kActivation);
  return plan;
}

}  // namespace

MemoryPlan plan_memory(const Checkpoint& checkpoint, const ModelConfig& config, DType type, bool mapped) {
  MemoryPlan plan = plan_activations(config, type);
  for (const WeightSpec& spec : expected_weights(config)) {
    const TensorInfo& info = checkpoint.get(spec.name);
    const DType stored = info.dtype.value_or(DType::F32);
    const auto bytes = static_cast<int64_t>(info.bytes);
    if (is_vector(spec.name, spec.shape)) {
      plan.weights_owned += elements(spec.shape) * static_cast<int64_t>(sizeof(float));
    } else if (type != DType::F32 && type != stored) {
      plan.weights_owned += elements(spec.shape) * static_cast<int64_t>(size_of(type));
      if (!mapped) plan.weights_owned += bytes;
    } else {
      (mapped ? plan.weights_mapped : plan.weights_owned) += bytes;
    }
  }
  return plan;
}

MemoryPlan plan_memory(const ModelConfig& config, DType type) {
  MemoryPlan plan = plan_activations(config, type);
  for (const WeightSpec& spec : expected_weights(config)) {
    plan.weights_owned += elements(spec.shape) * static_cast<int64_t>(size_of(type));
  }
  return plan;
}

void require_fit(const MemoryPlan& plan, int64_t limit) {
  if (plan.total() <= limit) return;
  const auto mib = [](int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; };
  fail(Status::OutOfMemory,
       cat("the model needs ", mib(plan.total()), " MiB (weights ", mib(plan.weights_mapped + plan.weights_owned),
           ", KV cache ", mib(plan.kv_cache), ", scratch ", mib(plan.scratch), ", pictures ", mib(plan.picture_batch),
           "), but ", mib(limit), " MiB are available; a smaller context length or a higher memory limit may help"));
}

}  // namespace ivl
