#include "checkpoint/weights.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "checkpoint/int8_tensors.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kListed = 10;

class SpecList {
 public:
  void add(std::string name, std::vector<int64_t> shape) { specs_.push_back({std::move(name), std::move(shape)}); }

  void linear(const std::string& name, int64_t outputs, int64_t inputs, bool bias) {
    add(name + ".weight", {outputs, inputs});
    if (bias) add(name + ".bias", {outputs});
  }

  std::vector<WeightSpec> take() { return std::move(specs_); }

 private:
  std::vector<WeightSpec> specs_;
};

void add_vision(SpecList& list, const VisionConfig& vision) {
  const int64_t c = vision.hidden;
  const auto norm = [&](const std::string& name) {
    list.add(name + ".weight", {c});
    if (vision.norm == NormKind::LayerNorm) list.add(name + ".bias", {c});
  };
  const std::string embeddings = "vision_model.embeddings.";
  list.add(embeddings + "class_embedding", {1, 1, c});
  list.add(embeddings + "patch_embedding.weight", {c, vision.channels, vision.patch, vision.patch});
  list.add(embeddings + "patch_embedding.bias", {c});
  list.add(embeddings + "position_embedding", {1, 1 + vision.trained_grid() * vision.trained_grid(), c});
  for (int64_t i = 0; i < vision.layers; ++i) {
    const std::string layer = "vision_model.encoder.layers." + std::to_string(i) + ".";
    norm(layer + "norm1");
    list.linear(layer + "attn.qkv", 3 * c, c, vision.qkv_bias);
    if (vision.qk_norm) {  // always RMS, whatever kind norm1 and norm2 are
      list.add(layer + "attn.q_norm.weight", {c});
      list.add(layer + "attn.k_norm.weight", {c});
    }
    list.linear(layer + "attn.proj", c, c, true);
    list.add(layer + "ls1", {c});
    norm(layer + "norm2");
    list.linear(layer + "mlp.fc1", vision.mlp, c, true);
    list.linear(layer + "mlp.fc2", c, vision.mlp, true);
    list.add(layer + "ls2", {c});
  }
}

void add_language(SpecList& list, const LanguageConfig& language) {
  const int64_t c = language.hidden;
  const int64_t q = language.heads * language.head_dim;
  const int64_t kv = language.kv_heads * language.head_dim;
  list.add("language_model.model.embed_tokens.weight", {language.vocab, c});
  for (int64_t i = 0; i < language.layers; ++i) {
    const std::string layer = "language_model.model.layers." + std::to_string(i) + ".";
    list.add(layer + "input_layernorm.weight", {c});
    list.linear(layer + "self_attn.q_proj", q, c, language.attention_bias);
    list.linear(layer + "self_attn.k_proj", kv, c, language.attention_bias);
    list.linear(layer + "self_attn.v_proj", kv, c, language.attention_bias);
    list.linear(layer + "self_attn.o_proj", c, q, language.attention_bias);
    list.add(layer + "post_attention_layernorm.weight", {c});
    list.linear(layer + "mlp.gate_proj", language.mlp, c, false);
    list.linear(layer + "mlp.up_proj", language.mlp, c, false);
    list.linear(layer + "mlp.down_proj", c, language.mlp, false);
  }
  list.add("language_model.model.norm.weight", {c});
  if (!language.tie_word_embeddings) list.add("language_model.lm_head.weight", {language.vocab, c});
}

bool harmless(std::string_view name, const ModelConfig& config) {
  return name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".position_ids") ||
         (config.language.tie_word_embeddings && name == "language_model.lm_head.weight");
}

// Without them the model would run, and answer as if it had never been fine-tuned.
std::string unmerged_lora(const Checkpoint& checkpoint) {
  const auto part_of_lora = [](const TensorInfo& tensor) {
    const auto has = [&](const char* part) { return tensor.name.find(part) != std::string::npos; };
    return has(".lora_A.") || has(".lora_B.") || has(".base_layer.") || has(".lora_embedding_A");
  };
  const std::vector<TensorInfo>& tensors = checkpoint.tensors();
  const auto first = std::find_if(tensors.begin(), tensors.end(), part_of_lora);
  if (first == tensors.end()) return "";
  return cat(std::count_if(tensors.begin(), tensors.end(), part_of_lora), " tensors are of LoRA layers that are not merged, such as ",
             quote(first->name), "; merge them into the model (in PEFT merge_and_unload) and save it again");
}

// Counts elements whose exponent bits are all ones. Blocks keep the counting loop free of branches, so that it runs at
// memory speed; memcpy because the caller may hold an unaligned tensor.
template <class Bits>
NonFinite scan(const std::byte* data, size_t elements, Bits exponent) {
  constexpr size_t kBlock = 4096;
  NonFinite result;
  const auto is_bad = [&](size_t i) {
    Bits bits;
    std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
    return (bits & exponent) == exponent;
  };
  for (size_t begin = 0; begin < elements; begin += kBlock) {
    const size_t end = std::min(elements, begin + kBlock);
    unsigned count = 0;
    for (size_t i = begin; i < end; ++i) count += is_bad(i);
    if (count != 0 && !result.first) {
      size_t i = begin;
      while (!is_bad(i)) ++i;
      result.first = i;
    }
    result.count += count;
  }
  return result;
}

// What belongs to a weight in int8.
void check_int8(const Checkpoint& checkpoint, const WeightSpec& spec, CheckReport& report,
                std::unordered_set<std::string>& expected) {
  const auto check = [&](const std::string& name, std::string_view dtype) {
    expected.insert(name);
    const TensorInfo* tensor = checkpoint.find(name);
    if (tensor == nullptr) {
      report.missing.push_back(name);
    } else if (tensor->shape != std::vector<int64_t>{spec.shape[0]} || tensor->dtype_name != dtype) {
      report.wrong_shape.push_back(cat(name, ": expected ", dtype, " of shape ", shape_text({spec.shape[0]}), ", got ",
                                       printable(tensor->dtype_name, 40), " ", shape_text(tensor->shape), " in ",
                                       tensor->file));
    }
  };
  check(int8_scale_name(spec.name), "F32");
  check(int8_sum_name(spec.name), "I32");
}

}  // namespace

std::vector<WeightSpec> expected_weights(const ModelConfig& config) {
  SpecList list;
  add_vision(list, config.vision);
  list.add("mlp1.0.weight", {config.projector_in()});
  list.add("mlp1.0.bias", {config.projector_in()});
  list.linear("mlp1.1", config.language.hidden, config.projector_in(), true);
  list.linear("mlp1.3", config.language.hidden, config.language.hidden, true);
  add_language(list, config.language);
  return list.take();
}

CheckReport check_weights(const Checkpoint& checkpoint, const ModelConfig& config) {
  CheckReport report;
  report.unmerged = unmerged_lora(checkpoint);
  std::unordered_set<std::string> expected;
  for (WeightSpec& spec : expected_weights(config)) {
    const TensorInfo* tensor = checkpoint.find(spec.name);
    if (tensor == nullptr) {
      report.missing.push_back(spec.name);
    } else {
      if (tensor->shape != spec.shape) {
        report.wrong_shape.push_back(cat(spec.name, ": expected shape ", shape_text(spec.shape), ", got ",
                                         shape_text(tensor->shape), " in ", tensor->file));
      }
      if (is_int8(*tensor) && int8_group(spec.name, spec.shape) != Int8Group::None) {
        check_int8(checkpoint, spec, report, expected);
      } else if (!tensor->dtype) {
        report.wrong_dtype.push_back(cat(spec.name, ": expected type F32, BF16 or F16, got ",
                                         printable(tensor->dtype_name, 40), " in ", tensor->file));
      }
    }
    expected.insert(std::move(spec.name));
  }
  const auto note = [&](const std::string& name) {
    if (!expected.contains(name) && !harmless(name, config)) report.unexpected.push_back(name);
  };
  for (const TensorInfo& tensor : checkpoint.tensors()) note(tensor.name);
  // Also a second copy of a known name: the index says which one counts, but someone will want to know.
  for (const std::string& name : checkpoint.unindexed()) {
    if (!harmless(name, config)) report.unexpected.push_back(name);
  }
  for (const auto& [name, file] : checkpoint.promised()) note(name);
  return report;
}

void require_weights(const Checkpoint& checkpoint, const ModelConfig& config) {
  const CheckReport report = check_weights(checkpoint, config);
  if (report.ok()) return;
  if (!report.unmerged.empty()) fail(Status::Unsupported, cat(checkpoint.folder(), ": ", report.unmerged));
  std::vector<std::string> problems = report.wrong_shape;
  problems.insert(problems.end(), report.wrong_dtype.begin(), report.wrong_dtype.end());
  const std::vector<std::string>& unindexed = checkpoint.unindexed();
  for (const std::string& name : report.missing) {
    const bool hidden = std::binary_search(unindexed.begin(), unindexed.end(), name);
    problems.push_back(name + (hidden ? ": is in a shard, but missing from the index" : ": missing" + checkpoint.where_promised(name)));
  }
  std::string message = cat(checkpoint.folder(), ": ", problems.size(), " of the model's weights ",
                            problems.size() == 1 ? "is" : "are", " missing or wrong: ");
  for (size_t i = 0; i < std::min(problems.size(), kListed); ++i) message += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > kListed) message += "; ...";
  fail(Status::Checkpoint, message);
}

NonFinite scan_non_finite(const TensorInfo& tensor) {
  if (!tensor.dtype) {
    fail(Status::Unsupported, cat(place_of(tensor), ": cannot look for NaN in type ",
                                  printable(tensor.dtype_name, 40)));
  }
  const size_t elements = tensor.bytes / size_of(*tensor.dtype);
  switch (*tensor.dtype) {
    case DType::F32: return scan<uint32_t>(tensor.data, elements, 0x7f800000u);
    case DType::BF16: return scan<uint16_t>(tensor.data, elements, 0x7f80u);
    case DType::F16: return scan<uint16_t>(tensor.data, elements, 0x7c00u);
  }
  fail(Status::Internal, "scan_non_finite: unknown type");
}

}  // namespace ivl
