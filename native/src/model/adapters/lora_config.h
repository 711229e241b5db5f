// adapter_config.json of a PEFT folder: what its tensors do not say themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ivl {

// The keys of rank_pattern or alpha_pattern with their values. A key is a regular expression for a module's path or for how it ends.
class ModulePattern {
 public:
  ModulePattern(std::string key, double value, const std::string& place);
  bool matches(std::string_view module) const;
  const std::string& key() const { return key_; }
  double value() const { return value_; }

 private:
  struct Expression;
  std::string key_;
  double value_;
  std::shared_ptr<const Expression> expression_;  // null: the key is text, in which a dot is any character
};

class LoraConfig {
 public:
  // Error(Io), Error(Checkpoint): no such file, or malformed. Error(Unsupported): a kind of adapter, or a setting of it, that would
  // need more than pairs of A and B, by name.
  static LoraConfig read(const std::filesystem::path& file);
  // Of the original's own wrapped checkpoints: alpha is twice the rank.
  static LoraConfig of_rank(int64_t rank, std::string place);

  // What B A x of a module is multiplied by, and the rank that it should have. Error(Checkpoint) where several keys with different
  // values are for it.
  double scale(std::string_view module) const;
  int64_t rank(std::string_view module) const;
  // FILE: field, for messages.
  const std::string& place() const { return place_; }

 private:
  double value(std::string_view module, const std::vector<ModulePattern>& patterns, const char* field, double otherwise) const;

  std::string place_;
  int64_t rank_ = 0;
  double alpha_ = 0;
  bool by_root_ = false;  // rslora: alpha is divided by the rank's square root
  std::vector<ModulePattern> ranks_, alphas_;
};

}  // namespace ivl
