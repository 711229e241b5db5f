// A model's parameters as one table: every tensor with its name and shape, the part of the model that it belongs to and what it
// is there. Loading, checks, the memory plan, int8, placement, random weights and the count of work walk it; no tensor's name or
// shape stands anywhere else.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/config.h"

namespace ivl {

// In the order in which the forward pass meets them.
enum class Part : uint8_t { VisionEmbeddings, VisionBlock, Projector, Tokens, DecoderLayer, Head };

enum class Role : uint8_t {
  Linear,  // (outputs, inputs), multiplied with rows
  Table,   // (ids, width), rows are looked up
  Norm,    // a norm's factors
  Vector,  // what else goes with rows element by element: biases, layer scales, embeddings of a place
};

// What a parameter is for in its part. The bias of a linear layer or a norm has the layer's use, and is a vector.
enum class Use : uint8_t {
  ClassToken,
  Patches,
  Positions,
  Norm1,
  Qkv,
  QNorm,
  KNorm,
  Out,
  Scale1,
  Norm2,
  Up,
  Down,
  Scale2,
  Router,
  Tokens,
  Logits
};

struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

struct Param {
  std::string name;
  std::vector<int64_t> shape;
  Part part = Part::VisionEmbeddings;
  int64_t index = 0;  // of the block or the layer
  Use use = Use::Norm1;
  Role role = Role::Vector;
  int64_t expert = -1;               // that it is of; -1: of none
  std::vector<RowRange> order = {};  // of the rows as the model wants them; empty: as they lie
  bool again = false;                // the tensor is a parameter before, too: embeddings that are the head

  int64_t elements() const;
};

class ParamTable {
 public:
  explicit ParamTable(const ModelConfig& config);

  // In the order of the forward pass.
  const std::vector<Param>& all() const& { return params_; }
  const std::vector<Param>& all() && = delete;  // would not outlive a loop's beginning
  // Of one part, of which there may be several.
  std::span<const Param> of(Part part, int64_t index = 0) const;
  // The first of this name, or nullptr.
  const Param* find(const std::string& name) const;

 private:
  std::vector<Param> params_;
  std::map<std::pair<Part, int64_t>, std::pair<size_t, size_t>> places_;  // first and count
  std::map<std::string, size_t, std::less<>> by_name_;
};

}  // namespace ivl
