#include "api/gpu_limits.h"

#include "tensor/error.h"

namespace ivl::api {
namespace {

// The types and the sizes each have a status of their own.
std::string why_not_in(const Precision& precision) {
  if (precision.type == DType::F32) return "the precision is f32, expected bf16 or f16 on a GPU";
  if (precision.kv_type() == kv_type_of(precision.type)) return {};
  return cat("the KV cache is ", name_of(precision.kv_type()), ", expected auto or ", name_of(precision.type),
             ", the precision's, on a GPU");
}

GpuSizes sizes_of(const ModelConfig& config) {
  const VisionConfig& vision = config.vision;
  const LanguageConfig& language = config.language;
  GpuSizes sizes;
  sizes.heads = {{"a decoder head's size (llm_config: head_dim, or hidden_size / num_attention_heads)", language.head_dim},
                 {"a vision head's size (vision_config: hidden_size / num_attention_heads)", vision.head_dim()}};
  sizes.widths = {{"llm_config.hidden_size", language.hidden},
                  {"llm_config.intermediate_size", language.has_dense_layers() ? language.mlp : 0},
                  {"llm_config.moe_intermediate_size", language.experts.width},
                  {"vision_config.hidden_size", vision.hidden},
                  {"vision_config.intermediate_size", vision.mlp},
                  {cat("an image's size in numbers (", vision.channels, " * ", config.image_size, "^2)"),
                   vision.channels * config.image_size * config.image_size}};
  sizes.channels = vision.channels;
  sizes.patch = {"vision_config.patch_size", vision.patch};
  sizes.vocabulary = {"llm_config.vocab_size", language.vocab};
  sizes.context = {"the context length", language.context};
  sizes.experts = {"llm_config.num_experts", language.experts.count};
  sizes.chosen = {"llm_config.num_experts_per_tok", language.experts.per_token};
  return sizes;
}

std::string mebibytes(int64_t bytes) { return cat(bytes >> 20, " MiB"); }

}  // namespace

std::string why_gpus_cannot(const ModelConfig& config, const Precision& precision) {
  const std::string types = why_not_in(precision);
  return types.empty() ? why_gpus_cannot(sizes_of(config)) : types;
}

std::string why_not_on(const Gpu& gpu, int64_t bytes, int64_t& free) {
  const std::string name = name_of(gpu);
  if (bytes > gpu.memory) return cat(name, " has ", mebibytes(gpu.memory), ", the model takes ", mebibytes(bytes));
  const std::string reason = why_gpu_cannot(gpu.ordinal);
  if (!reason.empty()) return cat(name, ": ", reason);
  free = free_gpu_memory(gpu.ordinal);
  return bytes <= free ? "" : cat(name, " has ", mebibytes(free), " free, the model takes ", mebibytes(bytes));
}

void require_gpus_can(const ModelConfig& config, const Precision& precision) {
  const std::string types = why_not_in(precision);
  if (!types.empty()) fail(Status::InvalidArgument, types);
  const std::string sizes = why_gpus_cannot(sizes_of(config));
  if (!sizes.empty()) fail(Status::Unsupported, cat(sizes, "; the device cpu can do it"));
}

void require_code_for(const std::vector<Gpu>& gpus) {
  for (const Gpu& gpu : gpus) {
    const std::string reason = why_gpu_cannot(gpu.ordinal);
    if (!reason.empty()) fail(Status::Unsupported, cat("the device is ", name_of(gpu), ", but ", reason));
  }
}

}  // namespace ivl::api
