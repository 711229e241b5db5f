#include "model/memory_plan.h"

#include <algorithm>

#include "backend/int8.h"
#include "checkpoint/int8_tensors.h"
#include "checkpoint/weights.h"
#include "model/int8_layers.h"
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

// A head tied to the embeddings is a copy of its own in int8.
std::vector<int64_t> tied_head(const ModelConfig& config, const Precision& precision) {
  const bool copied = config.language.tie_word_embeddings && precision.int8_decoder;
  return {copied ? config.language.vocab : 0, config.language.hidden};
}

// Values, and of each row a scale and a sum.
int64_t int8_bytes(const std::vector<int64_t>& shape) {
  return shape[0] == 0 ? 0 : shape[0] * (int8_stride(elements(shape) / shape[0]) + 8);
}

int64_t picture_rows(const ModelConfig& config) {
  return InternVLChat::pictures_together(config) * config.vision_tokens();
}

MemoryPlan plan_activations(const ModelConfig& config, const Precision& precision, DType activation) {
  const LanguageConfig& language = config.language;
  const KvShape kv{language.layers, language.kv_heads, language.head_dim, precision.kv_type()};
  MemoryPlan plan;
  plan.kv_cache_per_token = static_cast<int64_t>(kv.bytes_per_token());
  plan.kv_cache = plan.kv_cache_per_token * language.context;
  const int64_t rope = language.context * language.head_dim * static_cast<int64_t>(sizeof(float));
  plan.scratch = LlamaDecoder::workspace_bytes(config, kChunkRows, 1, activation) + rope;
  plan.pictures_together = InternVLChat::pictures_together(config);
  const int64_t pixels = plan.pictures_together * config.vision.channels * config.image_size * config.image_size;
  plan.picture_batch = pixels * static_cast<int64_t>(size_of(activation)) +
                       InternVit::workspace_bytes(config, plan.pictures_together, activation) +
                       Projector::workspace_bytes(config, plan.pictures_together, activation);
  // Rows on their way into an int8 product.
  if (precision.int8_decoder) plan.scratch += kChunkRows * int8_stride(language.mlp);
  if (precision.int8_vision) plan.picture_batch += picture_rows(config) * int8_stride(config.vision.mlp);
  return plan;
}

// On the CPU activations are f32, and the pixels that the caller gives lie in the same memory.
MemoryPlan plan_cpu_activations(const ModelConfig& config, const Precision& precision) {
  MemoryPlan plan = plan_activations(config, precision, DType::F32);
  const int64_t pixels = plan.pictures_together * config.vision.channels * config.image_size * config.image_size;
  plan.picture_batch += pixels * static_cast<int64_t>(sizeof(float));
  // Packed, on their way into a product that is not int8; in bf16 attention's keys and values are, too, in the same memory.
  const auto size = static_cast<int64_t>(size_of(precision.bf16_activations ? DType::BF16 : DType::F32));
  if (!precision.int8_decoder) plan.scratch += size * kChunkRows * config.language.mlp;
  const int64_t factor = precision.int8_vision ? 0 : config.vision.mlp;
  const int64_t keys_and_values = precision.bf16_activations ? 2 * config.vision.hidden : 0;
  plan.picture_batch += size * picture_rows(config) * std::max(factor, keys_and_values);
  return plan;
}

}  // namespace

MemoryPlan plan_memory(const Checkpoint& checkpoint, const ModelConfig& config, const Precision& precision, bool mapped) {
  const DType type = precision.type;
  MemoryPlan plan = plan_cpu_activations(config, precision);
  plan.weights_owned += int8_bytes(tied_head(config, precision));
  for (const WeightSpec& spec : expected_weights(config)) {
    const TensorInfo& info = checkpoint.get(spec.name);
    const DType stored = info.dtype.value_or(DType::F32);
    const auto bytes = static_cast<int64_t>(info.bytes);
    if (is_vector(spec.name, spec.shape)) {
      plan.weights_owned += elements(spec.shape) * static_cast<int64_t>(sizeof(float));
    } else if (is_int8(info)) {
      const bool in_place = mapped && int8_stride(spec.shape[1]) == spec.shape[1];
      (in_place ? plan.weights_mapped : plan.weights_owned) += int8_bytes(spec.shape);
    } else if (is_int8_layer(spec.name, spec.shape, precision)) {
      // What was read into memory goes as its bytes come.
      plan.weights_owned += mapped ? int8_bytes(spec.shape) : std::max(bytes, int8_bytes(spec.shape));
    } else if (type != DType::F32 && type != stored) {
      plan.weights_owned += elements(spec.shape) * static_cast<int64_t>(size_of(type));
      if (!mapped) plan.weights_owned += bytes;
    } else {
      (mapped ? plan.weights_mapped : plan.weights_owned) += bytes;
    }
  }
  return plan;
}

MemoryPlan plan_memory(const ModelConfig& config, const Precision& precision) {
  MemoryPlan plan = plan_cpu_activations(config, precision);
  plan.weights_owned += int8_bytes(tied_head(config, precision));
  for (const WeightSpec& spec : expected_weights(config)) {
    const bool int8 = is_int8_layer(spec.name, spec.shape, precision);
    plan.weights_owned += int8 ? int8_bytes(spec.shape) : elements(spec.shape) * static_cast<int64_t>(size_of(precision.type));
  }
  return plan;
}

MemoryPlan plan_gpu_memory(const ModelConfig& config, const Precision& precision) {
  MemoryPlan plan = plan_activations(config, precision, precision.type);
  plan.weights_owned += int8_bytes(tied_head(config, precision));
  for (const WeightSpec& spec : expected_weights(config)) {
    const bool int8 = is_int8_layer(spec.name, spec.shape, precision);
    plan.weights_owned += int8 ? int8_bytes(spec.shape) : elements(spec.shape) * static_cast<int64_t>(size_of(precision.type));
  }
  return plan;
}

int64_t tokens_of_a_request(const ModelConfig& config) {
  constexpr int64_t kQuestion = 256, kAnswer = 1024;
  return std::min(config.language.context, config.tokens_per_image() + kQuestion + kAnswer);
}

MemoryPlan for_batch(MemoryPlan plan, const ModelConfig& config, int64_t max_batch) {
  constexpr int64_t kMost = int64_t{1} << 61;  // more than there is anywhere
  const int64_t each = plan.kv_cache_per_token * tokens_of_a_request(config);
  const int64_t others = max_batch - 1;
  plan.max_batch = max_batch;
  plan.kv_cache_batch = others > kMost / std::max<int64_t>(1, each) ? kMost : others * each;
  return plan;
}

void require_fit(const MemoryPlan& plan, int64_t limit, const std::string& advice) {
  if (plan.total() <= limit) return;
  const auto mib = [](int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; };
  const std::string batch = plan.max_batch == 1 ? "" : cat(", further requests of a batch ", mib(plan.kv_cache_batch));
  fail(Status::OutOfMemory,
       cat("the model needs ", mib(plan.total()), " MiB (weights ", mib(plan.weights_mapped + plan.weights_owned),
           ", KV cache ", mib(plan.kv_cache), batch, ", scratch ", mib(plan.scratch), ", pictures ", mib(plan.picture_batch),
           "), but ", limit >> 20, " MiB are available", advice.empty() ? "" : "; ", advice));
}

}  // namespace ivl
