#include "api/convert.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include "model/param.h"

namespace ivl::api {

std::optional<DType> precision_from(int32_t precision) {
  switch (precision) {
    case IVL_PRECISION_AUTO: return std::nullopt;
    case IVL_PRECISION_F32: return DType::F32;
    case IVL_PRECISION_BF16: return DType::BF16;
    case IVL_PRECISION_F16: return DType::F16;
    case IVL_PRECISION_INT8:
    case IVL_PRECISION_INT4: return std::nullopt;
  }
  fail(Status::InvalidArgument, cat("precision is ", precision, ", expected an ivl_precision"));
}

std::optional<KvType> kv_cache_from(int32_t type) {
  switch (type) {
    case IVL_KV_CACHE_AUTO: return std::nullopt;
    case IVL_KV_CACHE_F32: return KvType::F32;
    case IVL_KV_CACHE_BF16: return KvType::BF16;
    case IVL_KV_CACHE_F16: return KvType::F16;
    case IVL_KV_CACHE_INT8: return KvType::Int8;
  }
  fail(Status::InvalidArgument, cat("kv_cache is ", type, ", expected an ivl_kv_cache"));
}

ivl_precision precision_to(DType type) {
  switch (type) {
    case DType::F32: return IVL_PRECISION_F32;
    case DType::BF16: return IVL_PRECISION_BF16;
    case DType::F16: return IVL_PRECISION_F16;
  }
  return IVL_PRECISION_AUTO;
}

ivl_precision precision_to(const Precision& precision) {
  switch (precision.formats.decoder) {
    case WeightFormat::Plain: return precision_to(precision.type);
    case WeightFormat::Int8: return IVL_PRECISION_INT8;
    case WeightFormat::Int4: return IVL_PRECISION_INT4;
  }
  return IVL_PRECISION_AUTO;
}

ivl_kv_cache kv_cache_to(KvType type) {
  switch (type) {
    case KvType::F32: return IVL_KV_CACHE_F32;
    case KvType::BF16: return IVL_KV_CACHE_BF16;
    case KvType::F16: return IVL_KV_CACHE_F16;
    case KvType::Int8: return IVL_KV_CACHE_INT8;
  }
  return IVL_KV_CACHE_AUTO;
}

std::optional<bool> bf16_activations_from(int32_t activations) {
  switch (activations) {
    case IVL_ACTIVATIONS_AUTO: return std::nullopt;
    case IVL_ACTIVATIONS_F32: return false;
    case IVL_ACTIVATIONS_BF16: return true;
    default: fail(Status::InvalidArgument, cat("activations is ", activations, ", expected an ivl_activations, 0 to 2"));
  }
}

WeightFormats formats_from(int32_t precision, int32_t vision) {
  if (vision != 0 && vision != IVL_PRECISION_INT8 && vision != IVL_PRECISION_INT4) {
    fail(Status::InvalidArgument, cat("quantize_vision is ", vision, ", expected 0, IVL_PRECISION_INT8 or IVL_PRECISION_INT4 (",
                                      IVL_PRECISION_INT8, ", ", IVL_PRECISION_INT4, ")"));
  }
  const bool quantizes = precision == IVL_PRECISION_INT8 || precision == IVL_PRECISION_INT4;
  if (!quantizes) return {};
  const auto format = [](int32_t of) {
    return of == IVL_PRECISION_INT4 ? WeightFormat::Int4 : of == IVL_PRECISION_INT8 ? WeightFormat::Int8 : WeightFormat::Plain;
  };
  return {format(precision), WeightFormat::Int8, format(vision)};
}

LoadOptions load_options_from(const ivl_load_options& options) {
  LoadOptions converted;
  converted.precision = precision_from(options.precision);
  converted.formats = formats_from(options.precision, options.quantize_vision);
  converted.kv = kv_cache_from(options.kv_cache);
  converted.bf16_activations = bf16_activations_from(options.activations);
  converted.map_weights = options.map_weights != 0;
  converted.context = options.context_length;
  converted.memory_limit = options.memory_limit;
  converted.max_batch = options.max_batch;
  converted.kv_memory = options.kv_memory;
  return converted;
}

std::string affinity_from(const ivl_load_options& options) {
  return {options.affinity, strnlen(options.affinity, sizeof options.affinity)};
}

Sampling sampling_from(const ivl_sampling& s) {
  Sampling sampling;
  sampling.temperature = s.temperature;
  sampling.top_k = s.top_k;
  sampling.top_p = s.top_p;
  sampling.min_p = s.min_p;
  sampling.repetition_penalty = s.repetition_penalty;
  sampling.frequency_penalty = s.frequency_penalty;
  sampling.presence_penalty = s.presence_penalty;
  sampling.max_new_tokens = s.max_new_tokens;
  sampling.min_new_tokens = s.min_new_tokens;
  sampling.top_logprobs = s.top_logprobs;
  sampling.seed = s.seed;
  return sampling;
}

ivl_finish finish_to(Finish finish) {
  switch (finish) {
    case Finish::None: return IVL_FINISH_NONE;
    case Finish::Stop: return IVL_FINISH_STOP;
    case Finish::Length: return IVL_FINISH_LENGTH;
    case Finish::Cancelled: return IVL_FINISH_CANCELLED;
    case Finish::Failed: return IVL_FINISH_FAILED;
  }
  return IVL_FINISH_NONE;
}

int64_t count_parameters(const ModelConfig& config) {
  const ParamTable params(config);
  int64_t parameters = 0;
  for (const Param& param : params.all()) parameters += param.again ? 0 : param.elements();
  return parameters;
}

void describe(const ModelConfig& config, ivl_model_info& out) {
  out = {};
  out.image_size = static_cast<int32_t>(config.image_size);
  out.image_channels = static_cast<int32_t>(config.vision.channels);
  out.tokens_per_image = static_cast<int32_t>(config.tokens_per_image());
  out.context_length = static_cast<int32_t>(config.language.context);
  out.vocabulary_size = static_cast<int32_t>(config.language.vocab);
  out.hidden_size = static_cast<int32_t>(config.language.hidden);
  out.vision_layers = static_cast<int32_t>(config.vision.layers);
  out.decoder_layers = static_cast<int32_t>(config.language.layers);
  out.parameters = count_parameters(config);
  out.stored = config.dtype ? precision_to(*config.dtype) : IVL_PRECISION_AUTO;
  out.precision = IVL_PRECISION_AUTO;
  out.kv_cache = IVL_KV_CACHE_AUTO;
  out.activations = IVL_ACTIVATIONS_AUTO;
  out.layout = config.layout == Layout::Transformers ? IVL_LAYOUT_TRANSFORMERS : IVL_LAYOUT_REMOTE_CODE;
  out.dynamic_tiles = config.tiling.dynamic ? 1 : 0;
  out.thumbnail = config.tiling.thumbnail ? 1 : 0;
  out.least_tiles = static_cast<int32_t>(config.tiling.least);
  out.most_tiles = static_cast<int32_t>(config.tiling.most);
  out.image_token = static_cast<int32_t>(config.image_token.value_or(-1));
}

std::string texts_of(const ModelConfig& config) {
  const nlohmann::json texts = {{"conversation_template", config.prompt_template},
                                {"architecture", config.language.architecture},
                                {"eos_tokens", config.eos_ids}};
  return texts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ivl::api
