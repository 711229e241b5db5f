// What learns: each tensor in f32, with what a step has gathered for it and AdamW's moments.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/gradients.h"
#include "checkpoint/safetensors_writer.h"
#include "model/param.h"
#include "model/weight_source.h"
#include "train/learning.h"

namespace ivl {

struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  int64_t rows = 0, cols = 0;  // as a matrix: a linear layer's (outputs, inputs), a table's (ids, width), a vector's (1, size)
  Buffer memory;               // of all four

  enum Kind : int64_t { kValue, kGradient, kFirst, kSecond };
  Matrix of(Kind kind) const { return memory.matrix(DType::F32, 4 * rows, cols).row_range(kind * rows, rows); }
  Matrix value() const { return of(kValue); }
  Matrix gradient() const { return of(kGradient); }
  int64_t elements() const { return rows * cols; }
  uint64_t bytes() const { return static_cast<uint64_t>(elements()) * sizeof(float); }  // of each of the four, which are the host's
  // Any of them as a file has it.
  TensorToWrite stored_as(std::string as) const { return {std::move(as), "F32", shape, bytes()}; }
  // The value as a source of weights. Valid as long as this.
  HostTensor tensor() const { return {value().data, DType::F32, shape, {}, name}; }
};

// A pair beside a linear layer.
struct PairOfParameters {
  Parameter *a = nullptr, *b = nullptr;
  float scale = 1;
};

class Parameters {
 public:
  // Those of a model that learn, in the order of its table; blocks of the vision tower that are never reached do not. `source` has what they
  // begin with; A of a pair begins uniform within +-1/sqrt(inputs), as PEFT's, and B with 0. The backend's memory must be the host's.
  // Error(Unsupported) names what cannot learn.
  Parameters(Backend& backend, const ModelConfig& config, const ParamTable& params, const Learning& learning, WeightSource& source);

  const std::vector<std::unique_ptr<Parameter>>& all() const { return all_; }
  // Null if it does not learn.
  Parameter* find(const std::string& name) const;
  // Of a linear layer's weight; without halves if it has none.
  PairOfParameters pair(const Param& weight) const;

  // How many numbers learn, and bytes for them, of a model that need not be in memory.
  static int64_t count(const ModelConfig& config, const ParamTable& params, const Learning& learning);
  static int64_t bytes(int64_t count) { return 4 * count * static_cast<int64_t>(sizeof(float)); }

 private:
  struct Shape {
    std::string name;
    std::vector<int64_t> shape;
    int64_t rows, cols;
    const Param* of;  // whose value it begins with; null: A or B
    bool is_a = false;
  };
  // Calls `body` for each.
  static void list(const ModelConfig& config, const ParamTable& params, const Learning& learning,
                   const std::function<void(const Shape&)>& body);
  void add(Backend& backend, const Shape& shape, WeightSource& source, uint64_t seed);

  std::vector<std::unique_ptr<Parameter>> all_;
  std::map<std::string, Parameter*, std::less<>> by_name_;
  Learning learning_;
};

// The path of a linear layer's module, to which its pair's names are appended.
std::string module_of(const Param& weight);
inline constexpr const char *kLoraA = ".lora_A", *kLoraB = ".lora_B";

// A model's weights, of which some are parameters that learn.
class LearningSource : public WeightSource {
 public:
  // Both outlive it.
  LearningSource(WeightSource& stored, const Parameters& parameters) : stored_(stored), parameters_(parameters) {}

  HostTensor tensor(const Param& param) override {
    const Parameter* learns = parameters_.find(param.name);
    return learns == nullptr ? stored_.tensor(param) : learns->tensor();
  }

 private:
  WeightSource& stored_;
  const Parameters& parameters_;
};

}  // namespace ivl
