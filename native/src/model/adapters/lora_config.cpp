#include "model/adapters/lora_config.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include "checkpoint/config_section.h"
#include "checkpoint/json.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr int64_t kMostRank = 1 << 16;
constexpr size_t kLongestKey = 1024;
constexpr size_t kMostKeys = 65536;

constexpr auto kSyntax = std::regex::ECMAScript
#ifdef __GLIBCXX__
                         | std::regex_constants::__polynomial  // a hostile pattern takes no longer than any other
#endif
    ;

bool is_text(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; });
}

// Settings with which pairs of A and B are not all there is.
void refuse_others(const ConfigSection& config) {
  const std::string type = config.text("peft_type", "LORA");
  if (type != "LORA") config.unsupported("peft_type", "LORA");
  const std::string bias = config.text("bias", "none");
  if (bias != "none") config.unsupported("bias", "none: merge the adapter into the model with PEFT, or train it without biases");
  const struct {
    const char *field, *supported;
  } refused[] = {
      {"use_dora", "false: DoRA changes weights' magnitudes; merge it into the model with PEFT (merge_and_unload)"},
      {"use_qalora", "false"},
      {"lora_bias", "false"},
      {"fan_in_fan_out", "false: the model has no layers of that kind"},
      {"modules_to_save", "null: whole layers beside the pairs; merge them into the model with PEFT (merge_and_unload)"},
      {"trainable_token_indices", "null"},
      {"target_parameters", "null: pairs of layers, not of parameters"},
      {"layer_replication", "null"},
      {"alora_invocation_tokens", "null"},
      {"arrow_config", "null"},
  };
  for (const auto& [field, supported] : refused) config.refuse_if_set(field, supported);
}

// Ways to begin that change the base's weights: the pairs then are differences to other weights than the model's.
void refuse_changed_base(const nlohmann::json& json, const ConfigSection& config) {
  const auto init = json.find("init_lora_weights");
  if (init == json.end() || !init->is_string()) return;
  const std::string name = init->get<std::string>();
  for (const char* changes : {"pissa", "olora", "loftq", "corda"}) {
    if (name.rfind(changes, 0) != 0) continue;
    config.unsupported("init_lora_weights",
                       "those that leave the base's weights as they are: convert the adapter with PEFT "
                       "(save_pretrained with path_initial_model_for_weight_conversion)");
  }
}

std::vector<ModulePattern> read_patterns(const nlohmann::json& json, const ConfigSection& config, const std::string& file,
                                         const char* field) {
  std::vector<ModulePattern> patterns;
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return patterns;
  if (!found->is_object() || found->size() > kMostKeys) config.expected(field, "an object of modules and numbers");
  for (const auto& [key, value] : found->items()) {
    const std::string place = cat(file, ": ", field, ".", printable(key, 160));
    const double number = value.is_number() ? value.get<double>() : 0;
    if (!(number > 0 && number < 1e9))
      fail(Status::Checkpoint, cat(place, ": expected a positive number, got ", ivl::found(value)));
    patterns.emplace_back(key, number, place);
  }
  return patterns;
}

}  // namespace

struct ModulePattern::Expression {
  std::regex regex;
};

ModulePattern::ModulePattern(std::string key, double value, const std::string& place) : key_(std::move(key)), value_(value) {
  if (key_.empty() || key_.size() > kLongestKey) {
    fail(Status::Checkpoint, cat(place, ": expected a module's name of 1 to ", kLongestKey, " characters, got ", key_.size()));
  }
  if (is_text(key_)) return;
  try {
    expression_ = std::make_shared<const Expression>(Expression{std::regex("(?:.*\\.)?(?:" + key_ + ")", kSyntax)});
  } catch (const std::regex_error&) {
    fail(Status::Unsupported,
         cat(place, ": is no regular expression that this library reads, expected a module's name, or groups, ",
             "alternatives, classes and repetitions"));
  }
}

bool ModulePattern::matches(std::string_view module) const {
  if (expression_ != nullptr) return std::regex_match(module.begin(), module.end(), expression_->regex);
  if (module.size() < key_.size()) return false;
  const std::string_view end = module.substr(module.size() - key_.size());
  if (end.size() < module.size() && module[module.size() - key_.size() - 1] != '.') return false;
  return std::equal(key_.begin(), key_.end(), end.begin(), [](char k, char c) { return k == '.' || k == c; });
}

LoraConfig LoraConfig::read(const std::filesystem::path& path) {
  const nlohmann::json json = read_json(path);
  const std::string file = path.string();
  const ConfigSection config(json, file, "");
  refuse_others(config);
  refuse_changed_base(json, config);
  LoraConfig lora;
  lora.place_ = file;
  lora.rank_ = config.integer("r", 1, kMostRank, 8);  // as PEFT's own defaults
  lora.alpha_ = config.positive("lora_alpha", 8);
  lora.by_root_ = config.flag("use_rslora", false);
  lora.ranks_ = read_patterns(json, config, file, "rank_pattern");
  lora.alphas_ = read_patterns(json, config, file, "alpha_pattern");
  return lora;
}

LoraConfig LoraConfig::of_rank(int64_t rank, std::string place) {
  LoraConfig lora;
  lora.place_ = std::move(place);
  lora.rank_ = rank;
  lora.alpha_ = 2 * static_cast<double>(rank);
  return lora;
}

double LoraConfig::value(std::string_view module, const std::vector<ModulePattern>& patterns, const char* field,
                         double otherwise) const {
  const ModulePattern* first = nullptr;
  for (const ModulePattern& pattern : patterns) {
    if (!pattern.matches(module)) continue;
    if (first != nullptr && first->value() != pattern.value()) {
      fail(Status::Checkpoint, cat(place_, ": ", field, ": both ", quote(first->key()), " and ", quote(pattern.key()), " are for ",
                                   quote(module), ", expected one value for each module"));
    }
    if (first == nullptr) first = &pattern;
  }
  return first == nullptr ? otherwise : first->value();
}

int64_t LoraConfig::rank(std::string_view module) const {
  return static_cast<int64_t>(value(module, ranks_, "rank_pattern", static_cast<double>(rank_)));
}

double LoraConfig::scale(std::string_view module) const {
  const auto rank = static_cast<double>(this->rank(module));
  return value(module, alphas_, "alpha_pattern", alpha_) / (by_root_ ? std::sqrt(rank) : rank);
}

}  // namespace ivl
