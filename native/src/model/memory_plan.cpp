#include "model/memory_plan.h"

#include <algorithm>

#include "backend/int8.h"
#include "model/formats/stored_format.h"
#include "model/internvl_chat.h"
#include "model/rope.h"
#include "model/weight_formats.h"

namespace ivl {
namespace {

// Of a copy in a format.
int64_t bytes_in(WeightFormat format, const Param& param, const Precision& precision) {
  const int64_t rows = param.shape[0];
  return weight_bytes(format, precision.type, rows, param.elements() / rows);
}

int64_t copy_bytes(const Param& param, const Precision& precision) {
  return bytes_in(format_of(param, precision), param, precision);
}

// On a GPU, which writes int4 out in 16 bits.
int64_t gpu_bytes(const Param& param, const Precision& precision) {
  const WeightFormat format = format_of(param, precision);
  return bytes_in(format == WeightFormat::Int4 ? WeightFormat::Plain : format, param, precision);
}

// Embeddings that are the head, too, are used where they lie: no second copy.
bool is_in_place(const Param& param, const Precision& precision) {
  return param.again && format_of(param, precision) == WeightFormat::Plain;
}

// The most numbers that a row of the decoder has on its way into a product.
int64_t widest_input(const LanguageConfig& language) {
  const int64_t experts = language.experts.per_token * std::max(language.hidden, language.experts.width);
  return std::max(language.has_dense_layers() ? language.mlp : 0, experts);
}

int64_t picture_rows(const ModelConfig& config) { return InternVLChat::pictures_together(config) * config.vision_tokens(); }

MemoryPlan plan_activations(const ModelConfig& config, const Precision& precision, DType activation) {
  const LanguageConfig& language = config.language;
  const KvShape kv = Decoder::kv_shape(language, language.layers, precision.kv_type());
  MemoryPlan plan;
  plan.kv_cache_per_token = static_cast<int64_t>(kv.bytes_per_token());
  plan.kv_cache = plan.kv_cache_per_token * kKvBlock * blocks_for(language.context);
  const int64_t rope = rope_rows(language.rope, language.context) * language.head_dim * static_cast<int64_t>(sizeof(float));
  plan.scratch = Decoder::workspace_bytes(config, kChunkRows, 1, activation) + rope;
  plan.pictures_together = InternVLChat::pictures_together(config);
  const int64_t pixels = plan.pictures_together * config.vision.channels * config.image_size * config.image_size;
  plan.picture_batch = pixels * static_cast<int64_t>(size_of(activation)) +
                       InternVit::workspace_bytes(config, plan.pictures_together, activation) +
                       Projector::workspace_bytes(config, plan.pictures_together, activation);
  // Rows on their way into an int8 product.
  if (precision.formats.decoder == WeightFormat::Int8) plan.scratch += kChunkRows * int8_stride(widest_input(language));
  if (precision.formats.vision == WeightFormat::Int8) plan.picture_batch += picture_rows(config) * int8_stride(config.vision.mlp);
  return plan;
}

// On the CPU activations are f32, and the pixels that the caller gives lie in the same memory.
MemoryPlan plan_cpu_activations(const ModelConfig& config, const Precision& precision) {
  MemoryPlan plan = plan_activations(config, precision, DType::F32);
  const int64_t pixels = plan.pictures_together * config.vision.channels * config.image_size * config.image_size;
  plan.picture_batch += pixels * static_cast<int64_t>(sizeof(float));
  // Packed, on their way into a product that is not int8; in bf16 attention's keys and values are, too, in the same memory.
  const auto size = static_cast<int64_t>(size_of(precision.bf16_activations ? DType::BF16 : DType::F32));
  if (precision.formats.decoder != WeightFormat::Int8) plan.scratch += size * kChunkRows * widest_input(config.language);
  const int64_t factor = precision.formats.vision == WeightFormat::Int8 ? 0 : config.vision.mlp;
  const int64_t keys_and_values = precision.bf16_activations ? 2 * config.vision.hidden : 0;
  plan.picture_batch += size * picture_rows(config) * std::max(factor, keys_and_values);
  return plan;
}

// Where a parameter's bytes go on the host: what stays mapped, and what is owned.
struct HostBytes {
  int64_t mapped = 0, owned = 0;
};

HostBytes host_bytes(const Checkpoint& checkpoint, const Param& param, const Precision& precision, bool mapped) {
  if (const StoredFormat* format = stored_format(checkpoint, param); format != nullptr) {
    int64_t bytes = 0;
    for (const StoredTensor& part : format->tensors(checkpoint, param))
      bytes += static_cast<int64_t>(checkpoint.get(part.name).bytes);
    if (mapped && format->in_place(param)) return {bytes, 0};
    const int64_t copy = weight_bytes(format->format(), precision.type, param.shape[0], param.shape[1]);
    return {0, format->in_place(param) ? bytes : std::max(bytes, copy)};
  }
  const TensorInfo& info = checkpoint.get(param.name);
  const bool converted = precision.type != DType::F32 && precision.type != info.dtype;
  if (is_in_place(param, precision) && !converted) return {};
  const auto bytes = param.again ? 0 : static_cast<int64_t>(info.bytes);
  const WeightFormat format = format_of_plain(param, precision);
  const int64_t copy = bytes_in(format, param, precision);
  // Always widened to f32 of our own.
  if (param.role == Role::Norm || param.role == Role::Vector) return {0, param.elements() * static_cast<int64_t>(sizeof(float))};
  // What was read into memory goes as its bytes are quantized.
  if (format != WeightFormat::Plain) return {0, mapped ? copy : std::max(bytes, copy)};
  if (converted) return {0, copy + (mapped ? 0 : bytes)};
  return mapped ? HostBytes{bytes, 0} : HostBytes{0, bytes};
}

}  // namespace

MemoryPlan plan_memory(const Checkpoint& checkpoint, const ModelConfig& config, const Precision& precision, bool mapped) {
  MemoryPlan plan = plan_cpu_activations(config, precision);
  const ParamTable params(config);
  for (const Param& param : params.all()) {
    const HostBytes bytes = host_bytes(checkpoint, param, precision, mapped);
    plan.weights_mapped += bytes.mapped;
    plan.weights_owned += bytes.owned;
  }
  return plan;
}

MemoryPlan plan_memory(const ModelConfig& config, const Precision& precision) {
  MemoryPlan plan = plan_cpu_activations(config, precision);
  const ParamTable params(config);
  for (const Param& param : params.all()) {
    if (!is_in_place(param, precision)) plan.weights_owned += copy_bytes(param, precision);
  }
  return plan;
}

MemoryPlan plan_gpu_memory(const ModelConfig& config, const Precision& precision) {
  MemoryPlan plan = plan_activations(config, precision, precision.type);
  const int64_t gathered = config.language.experts.per_token * config.language.hidden;
  plan.scratch += kChunkRows * gathered * static_cast<int64_t>(size_of(precision.type));
  const ParamTable params(config);
  for (const Param& param : params.all()) plan.weights_owned += gpu_bytes(param, precision);
  return plan;
}

int64_t tokens_of_a_request(const ModelConfig& config) {
  constexpr int64_t kQuestion = 256, kAnswer = 1024;
  return std::min(config.language.context, config.tokens_per_image() + kQuestion + kAnswer);
}

MemoryPlan for_batch(MemoryPlan plan, const ModelConfig& config, int64_t max_batch) {
  constexpr int64_t kMost = int64_t{1} << 61;  // more than there is anywhere
  const int64_t each = plan.kv_cache_per_token * kKvBlock * blocks_for(tokens_of_a_request(config));
  const int64_t others = max_batch - 1;
  plan.max_batch = max_batch;
  plan.kv_cache_batch = others > kMost / std::max<int64_t>(1, each) ? kMost : others * each;
  return plan;
}

PartBytes part_bytes(const ModelConfig& config, const Precision& precision, const MemoryPlan& plan) {
  const ParamTable params(config);
  const int64_t layers = std::max<int64_t>(1, config.language.layers);
  PartBytes bytes;
  for (const Param& param : params.all()) {
    const int64_t copy = gpu_bytes(param, precision);
    switch (param.part) {
      case Part::VisionEmbeddings:
      case Part::VisionBlock:
      case Part::Projector: bytes.vision += copy; break;
      case Part::Tokens: bytes.embeddings += copy; break;
      case Part::DecoderLayer: bytes.layer += copy; break;
      case Part::Head: bytes.head += copy; break;
    }
  }
  bytes.layer = (bytes.layer + plan.kv_cache + plan.kv_cache_batch) / layers;
  bytes.each_stage = plan.scratch;
  bytes.vision += plan.picture_batch;
  return bytes;
}

void require_fit(const MemoryPlan& plan, int64_t limit, const std::string& advice) {
  if (plan.total() <= limit) return;
  const auto mib = [](int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; };
  const std::string batch = plan.max_batch == 1 ? "" : cat(", further requests of a batch ", mib(plan.kv_cache_batch));
  fail(Status::OutOfMemory,
       cat("the model needs ", mib(plan.total()), " MiB (weights ", mib(plan.weights_mapped + plan.weights_owned), ", KV cache ",
           mib(plan.kv_cache), batch, ", scratch ", mib(plan.scratch), ", images ", mib(plan.picture_batch), "), but ", limit >> 20,
           " MiB are available", advice.empty() ? "" : "; ", advice));
}

}  // namespace ivl
