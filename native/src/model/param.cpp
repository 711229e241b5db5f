#include "model/param.h"

#include "tensor/error.h"

namespace ivl {
namespace {

// Collects the parameters of one part after the other.
class Builder {
 public:
  // Names that follow stand behind `prefix`.
  void begin(Part part, int64_t index, std::string prefix, int64_t expert = -1) {
    part_ = part;
    index_ = index;
    prefix_ = std::move(prefix);
    expert_ = expert;
  }

  Param& add(const std::string& name, std::vector<int64_t> shape, Use use, Role role) {
    return params_.emplace_back(Param{prefix_ + name, std::move(shape), part_, index_, use, role, expert_});
  }

  void norm(const std::string& name, int64_t width, Use use, NormKind kind = NormKind::RmsNorm) {
    add(name + ".weight", {width}, use, Role::Norm);
    if (kind == NormKind::LayerNorm) add(name + ".bias", {width}, use, Role::Vector);
  }

  void linear(const std::string& name, int64_t outputs, int64_t inputs, bool bias, Use use,
              const std::vector<RowRange>& order = {}) {
    const std::string layer = wrapped_ ? name + std::string(kBaseLayer) : name;
    add(layer + ".weight", {outputs, inputs}, use, Role::Linear).order = order;
    if (bias) add(layer + ".bias", {outputs}, use, Role::Vector).order = order;
  }

  // Linear layers that follow have pairs of LoRA beside them.
  void wrap(bool wrapped) { wrapped_ = wrapped; }

  // Layers of these outputs that are stacked: each under its name, or all under one.
  void stacked(const StackedNames& names, const std::vector<int64_t>& outputs, int64_t inputs, bool bias, Use use,
               const std::vector<RowRange>& order = {}) {
    if (names.size() == 1) {
      int64_t sum = 0;
      for (const int64_t each : outputs) sum += each;
      return linear(names[0], sum, inputs, bias, use, order);
    }
    require(names.size() == outputs.size(), "stacked layers have a name each");
    for (size_t i = 0; i < names.size(); ++i) linear(names[i], outputs[i], inputs, bias, use);
  }

  std::vector<Param> take() { return std::move(params_); }

 private:
  std::vector<Param> params_;
  Part part_ = Part::VisionEmbeddings;
  int64_t index_ = 0;
  int64_t expert_ = -1;
  bool wrapped_ = false;
  std::string prefix_;
};

void add_vision(Builder& list, const VisionConfig& vision, const std::string& prefix) {
  const int64_t c = vision.hidden;
  const VisionNames& names = vision.names;
  list.begin(Part::VisionEmbeddings, 0, prefix);
  list.add(names.class_token, {1, 1, c}, Use::ClassToken, Role::Vector);
  list.add(names.patches + ".weight", {c, vision.channels, vision.patch, vision.patch}, Use::Patches, Role::Linear);
  list.add(names.patches + ".bias", {c}, Use::Patches, Role::Vector);
  list.add(names.positions, {1, 1 + vision.trained_grid() * vision.trained_grid(), c}, Use::Positions, Role::Vector);
  list.wrap(names.wrapped);
  for (int64_t i = 0; i < vision.layers; ++i) {
    list.begin(Part::VisionBlock, i, cat(prefix, names.blocks, ".", i, "."));
    list.norm(names.norm1, c, Use::Norm1, vision.norm);
    list.stacked(names.qkv, {c, c, c}, c, vision.qkv_bias, Use::Qkv);
    if (vision.qk_norm) {
      list.norm(names.q_norm, c, Use::QNorm);
      list.norm(names.k_norm, c, Use::KNorm);
    }
    list.linear(names.out, c, c, true, Use::Out);
    list.add(names.scale1, {c}, Use::Scale1, Role::Vector);
    list.norm(names.norm2, c, Use::Norm2, vision.norm);
    list.linear(names.up, vision.mlp, c, true, Use::Up);
    list.linear(names.down, c, vision.mlp, true, Use::Down);
    list.add(names.scale2, {c}, Use::Scale2, Role::Vector);
  }
}

void add_projector(Builder& list, const ModelConfig& config) {
  const int64_t width = config.language.hidden;
  const ProjectorNames& names = config.projector_names;
  list.wrap(false);
  list.begin(Part::Projector, 0, config.prefixes.projector);
  list.norm(names.norm, config.projector_in(), Use::Norm1, NormKind::LayerNorm);
  list.linear(names.up, width, config.projector_in(), true, Use::Up);
  list.linear(names.down, width, width, true, Use::Down);
}

// Where the rows of queries, keys and values lie that the model wants one kind after the other.
std::vector<RowRange> qkv_order(const LanguageConfig& language) {
  if (language.plan.qkv_rows == QkvRows::Apart) return {};
  const int64_t queries = language.heads / language.kv_heads * language.head_dim;
  const int64_t group = queries + 2 * language.head_dim;
  std::vector<RowRange> order;
  const auto from_each_group = [&](int64_t begin, int64_t count) {
    for (int64_t g = 0; g < language.kv_heads; ++g) order.push_back({g * group + begin, count});
  };
  from_each_group(0, queries);
  from_each_group(queries, language.head_dim);
  from_each_group(queries + language.head_dim, language.head_dim);
  return order;
}

// What follows a layer's second norm. The layer's names stand behind `prefix`.
void add_feed_forward(Builder& list, const LanguageConfig& language, int64_t layer, const std::string& prefix) {
  const int64_t c = language.hidden;
  const DecoderNames& names = language.names;
  if (!language.has_experts(layer)) {
    // SwiGLU wants two parts, from one tensor, too.
    list.stacked(names.gate_up, {language.mlp, language.mlp}, c, false, Use::Up, {{0, language.mlp}, {language.mlp, language.mlp}});
    return list.linear(names.down, c, language.mlp, false, Use::Down);
  }
  const Experts& experts = language.experts;
  list.linear(names.router, experts.count, c, false, Use::Router);
  for (int64_t e = 0; e < experts.count; ++e) {
    list.begin(Part::DecoderLayer, layer, cat(prefix, names.experts, ".", e, "."), e);
    list.stacked(names.expert_gate_up, {experts.width, experts.width}, c, false, Use::Up);
    list.linear(names.expert_down, c, experts.width, false, Use::Down);
  }
}

void add_decoder(Builder& list, const LanguageConfig& language, const Prefixes& prefixes) {
  const int64_t c = language.hidden;
  const int64_t q = language.heads * language.head_dim;
  const int64_t kv = language.kv_heads * language.head_dim;
  const DecoderNames& names = language.names;
  const DecoderPlan& plan = language.plan;
  const std::vector<RowRange> order = qkv_order(language);
  list.begin(Part::Tokens, 0, prefixes.decoder);
  list.add(names.tokens + ".weight", {language.vocab, c}, Use::Tokens, Role::Table);
  list.wrap(names.wrapped);
  for (int64_t i = 0; i < language.layers; ++i) {
    const std::string prefix = cat(prefixes.decoder, names.layers, ".", i, ".");
    list.begin(Part::DecoderLayer, i, prefix);
    list.norm(names.norm1, c, Use::Norm1);
    list.stacked(names.qkv, {q, kv, kv}, c, plan.qkv_bias, Use::Qkv, order);
    if (plan.qk_norm) {
      list.norm(names.q_norm, language.head_dim, Use::QNorm);
      list.norm(names.k_norm, language.head_dim, Use::KNorm);
    }
    list.linear(names.out, c, q, plan.out_bias, Use::Out);
    list.norm(names.norm2, c, Use::Norm2);
    add_feed_forward(list, language, i, prefix);
  }
  list.wrap(false);
  list.begin(Part::Head, 0, prefixes.decoder);
  list.norm(names.norm, c, Use::Norm1);
  if (language.tied_head) {
    list.add(names.tokens + ".weight", {language.vocab, c}, Use::Logits, Role::Linear).again = true;
  } else {
    list.begin(Part::Head, 0, prefixes.head);
    list.linear(names.head, language.vocab, c, false, Use::Logits);
  }
}

std::vector<Param> list_params(const ModelConfig& config) {
  Builder list;
  add_vision(list, config.vision, config.prefixes.vision);
  add_projector(list, config);
  add_decoder(list, config.language, config.prefixes);
  return list.take();
}

}  // namespace

int64_t Param::elements() const {
  int64_t elements = 1;
  for (const int64_t dim : shape) elements *= dim;
  return elements;
}

ParamTable::ParamTable(const ModelConfig& config) : params_(list_params(config)) {
  for (size_t i = 0; i < params_.size(); ++i) {
    auto& [first, count] = places_.try_emplace({params_[i].part, params_[i].index}, i, 0).first->second;
    require(first + count == i, "the parameters of a part stand together");
    ++count;
    by_name_.try_emplace(params_[i].name, i);
  }
}

std::span<const Param> ParamTable::of(Part part, int64_t index) const {
  const auto place = places_.find({part, index});
  if (place == places_.end()) return {};
  return std::span(params_).subspan(place->second.first, place->second.second);
}

const Param* ParamTable::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &params_[found->second];
}

}  // namespace ivl
