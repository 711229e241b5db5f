#include "model/weights.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "checkpoint/message.h"
#include "model/adapters/lora_tensors.h"
#include "model/formats/stored_format.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kListed = 10;

// Buffers that older versions of transformers saved.
bool harmless(std::string_view name) { return name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".position_ids"); }

// How many of a model's tensors, as these prefixes have them, are there.
size_t found_with(const Prefixes& prefixes, const ModelConfig& config, const Checkpoint& checkpoint) {
  ModelConfig renamed = config;
  renamed.prefixes = prefixes;
  const ParamTable params(renamed);
  size_t found = 0;
  for (const Param& param : params.all()) found += is_stored(checkpoint, param);
  return found;
}

bool same_values(const TensorInfo& a, const TensorInfo& b) {
  if (a.shape != b.shape || !a.dtype || !b.dtype) return false;
  if (a.dtype == b.dtype) return std::equal(a.data, a.data + a.bytes, b.data);
  for (size_t i = 0; i < static_cast<size_t>(a.elements()); ++i) {
    if (load_f32(a.data, *a.dtype, i) != load_f32(b.data, *b.dtype, i)) return false;
  }
  return true;
}

// Where the configuration does not tell of them the model would run, and answer as if it had never been fine-tuned.
std::string unmerged_lora(const Checkpoint& checkpoint, const ModelConfig& config) {
  const auto part_of_lora = [](const TensorInfo& tensor) {
    const auto has = [&](const char* part) { return tensor.name.find(part) != std::string::npos; };
    return has(".lora_A.") || has(".lora_B.") || has(".base_layer.") || has(".lora_embedding_A");
  };
  const std::vector<TensorInfo>& tensors = checkpoint.tensors();
  const auto first = std::find_if(tensors.begin(), tensors.end(), part_of_lora);
  if (config.lora.vision > 0 || config.lora.language > 0) return "";  // they are expected
  if (first == tensors.end()) return "";
  return cat(std::count_if(tensors.begin(), tensors.end(), part_of_lora),
             " tensors are of LoRA layers that are not merged, such as ", quote(first->name),
             "; merge them into the model (in PEFT merge_and_unload) and save it again");
}

// A weight that is quantized.
void check_quantized(const Checkpoint& checkpoint, const StoredFormat& format, const Param& param, CheckReport& report,
                     std::unordered_set<std::string>& expected) {
  for (const StoredTensor& part : format.tensors(checkpoint, param)) {
    expected.insert(part.name);
    const TensorInfo* tensor = checkpoint.find(part.name);
    if (tensor == nullptr) {
      report.missing.push_back(part.name);
    } else if (tensor->shape != part.shape || tensor->dtype_name != part.dtype) {
      report.wrong_shape.push_back(cat(part.name, ": expected ", part.dtype, " of shape ", shape_text(part.shape), ", got ",
                                       printable(tensor->dtype_name, 40), " ", shape_text(tensor->shape), " in ", tensor->file));
    }
  }
}

// The pair of LoRA beside a weight, if it has one. Shapes are LoraTensors' to check.
void check_pair(const Checkpoint& checkpoint, const Param& param, CheckReport& report, std::unordered_set<std::string>& expected) {
  for (const std::string& name : LoraTensors::names_beside(param)) {
    if (checkpoint.find(name) == nullptr) report.missing.push_back(name);
    expected.insert(name);
  }
}

// One in f32 or 16 bits.
void check_plain(const Checkpoint& checkpoint, const Param& param, CheckReport& report) {
  const TensorInfo* tensor = checkpoint.find(param.name);
  if (tensor == nullptr) {
    report.missing.push_back(param.name);
    return;
  }
  if (tensor->shape != param.shape) {
    report.wrong_shape.push_back(
        cat(param.name, ": expected shape ", shape_text(param.shape), ", got ", shape_text(tensor->shape), " in ", tensor->file));
  }
  if (!tensor->dtype) {
    report.wrong_dtype.push_back(
        cat(param.name, ": expected type F32, BF16 or F16, got ", printable(tensor->dtype_name, 40), " in ", tensor->file));
  }
}

}  // namespace

ModelConfig as_stored(ModelConfig config, const Checkpoint& checkpoint) {
  const Prefixes announced = config.prefixes;
  size_t most = config.other_prefixes.empty() ? 0 : found_with(announced, config, checkpoint);
  for (const Prefixes& prefixes : config.other_prefixes) {
    const size_t found = found_with(prefixes, config, checkpoint);
    if (found <= most) continue;
    most = found;
    config.prefixes = prefixes;
  }
  LanguageConfig& language = config.language;
  const TensorInfo* head = checkpoint.find(config.prefixes.head + language.names.head + ".weight");
  if (!language.tied_head || head == nullptr) return config;
  // A head of its own, though the configuration says that it is the embeddings. Quantized it is what quantizing made of it.
  const TensorInfo* tokens = checkpoint.find(config.prefixes.decoder + language.names.tokens + ".weight");
  if (tokens != nullptr && !language.may_have_head && head->dtype && !same_values(*head, *tokens)) {
    fail(Status::Checkpoint,
         cat(head->file, ": tensor ", quote(head->name),
             ": tie_word_embeddings is true in the decoder's configuration, expected the ", "values of ", quote(tokens->name),
             " or no such tensor, got others; if the head is one of its own, set it to false"));
  }
  language.tied_head = false;
  return config;
}

CheckReport check_weights(const Checkpoint& checkpoint, const ModelConfig& config) {
  CheckReport report;
  report.unmerged = unmerged_lora(checkpoint, config);
  std::unordered_set<std::string> expected;
  const ParamTable params(config);
  for (const Param& param : params.all()) {
    if (param.again) continue;
    check_pair(checkpoint, param, report, expected);
    if (const StoredFormat* format = stored_format(checkpoint, param); format != nullptr) {
      check_quantized(checkpoint, *format, param, report, expected);
    } else {
      check_plain(checkpoint, param, report);
    }
    expected.insert(param.name);
  }
  const auto note = [&](const std::string& name) {
    if (!expected.contains(name) && !harmless(name)) report.unexpected.push_back(name);
  };
  for (const TensorInfo& tensor : checkpoint.tensors()) note(tensor.name);
  // Also a second copy of a known name: the index says which one counts, but someone will want to know.
  for (const std::string& name : checkpoint.unindexed()) {
    if (!harmless(name)) report.unexpected.push_back(name);
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
    const bool head = name == config.prefixes.head + config.language.names.head + ".weight";
    const char* untied = head ? ", and tie_word_embeddings is not true" : "";
    problems.push_back(
        name + (hidden ? ": is in a shard, but missing from the index" : ": missing" + checkpoint.where_promised(name)) + untied);
  }
  std::string message = cat(checkpoint.folder(), ": ", problems.size(), " of the model's weights ",
                            problems.size() == 1 ? "is" : "are", " missing or wrong: ");
  for (size_t i = 0; i < std::min(problems.size(), kListed); ++i) message += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > kListed) message += "; ...";
  fail(Status::Checkpoint, message);
}

}  // namespace ivl
