#include "train/parameters.h"

#include <cmath>

namespace ivl {
namespace {

constexpr std::string_view kWeightEnd = ".weight";

// SplitMix64 (Steele, Lea, Flood, 2014): number i of a stream is a function of (seed, i) alone.
uint64_t mixed(uint64_t seed, uint64_t i) {
  uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Each tensor has a stream of its own.
uint64_t stream_of(uint64_t seed, const std::string& name) {
  uint64_t stream = seed;
  for (const char c : name) stream = mixed(stream, static_cast<unsigned char>(c));
  return stream;
}

std::vector<float> uniform(const std::string& name, uint64_t seed, int64_t count, float bound) {
  const uint64_t stream = stream_of(seed, name);
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto unit = static_cast<float>(mixed(stream, i) >> 40) * 0x1p-24f;  // [0, 1)
    values[i] = (2 * unit - 1) * bound;
  }
  return values;
}

bool is_reached(const Param& param, const ModelConfig& config) {
  return param.part != Part::VisionBlock || param.index < config.vision_layers_used();
}

void require_can_learn(const Param& param, const Learning& learning) {
  if (param.use != Use::Router && param.expert < 0) return;
  if (learning.of(param.part) == Learns::Nothing) return;
  fail(Status::Unsupported,
       cat(param.name, ": is of a layer with experts, expected a model without; training them is not implemented"));
}

std::vector<float> widened(const HostTensor& stored, int64_t count) {
  if (stored.format() != WeightFormat::Plain) {
    fail(Status::Unsupported, cat(stored.where, ": is stored in ", name_of(stored.format()),
                                  ", expected 16 bits or f32 where every parameter learns; ", "pairs beside such layers can"));
  }
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = load_f32(stored.data, stored.dtype, i);
  return values;
}

}  // namespace

std::string module_of(const Param& weight) { return weight.name.substr(0, weight.name.size() - kWeightEnd.size()); }

void Parameters::list(const ModelConfig& config, const ParamTable& params, const Learning& learning,
                      const std::function<void(const Shape&)>& body) {
  for (const Param& param : params.all()) {
    require_can_learn(param, learning);
    if (!is_reached(param, config) || param.again) continue;
    const Learns learns = learning.of(param.part);
    const bool linear = param.role == Role::Linear;
    if (learns == Learns::All) {
      const int64_t rows = linear || param.role == Role::Table ? param.shape[0] : param.elements() / param.shape.back();
      body({param.name, param.shape, rows, param.elements() / rows, &param});
    }
    const bool in_layer = param.part == Part::VisionBlock || param.part == Part::DecoderLayer;
    if (learns != Learns::Lora || !linear || !in_layer) continue;
    const int64_t rank = learning.lora(param.part).rank, out = param.shape[0], in = param.elements() / out;
    body({module_of(param) + kLoraA, {rank, in}, rank, in, nullptr, true});
    body({module_of(param) + kLoraB, {out, rank}, out, rank, nullptr});
  }
}

Parameters::Parameters(Backend& backend, const ModelConfig& config, const ParamTable& params, const Learning& learning,
                       WeightSource& source)
    : learning_(learning) {
  list(config, params, learning, [&](const Shape& shape) { add(backend, shape, source, learning.seed); });
}

void Parameters::add(Backend& backend, const Shape& shape, WeightSource& source, uint64_t seed) {
  auto made = std::make_unique<Parameter>(Parameter{shape.name, shape.shape, shape.rows, shape.cols, {}});
  const int64_t count = made->elements();
  made->memory = backend.allocate(static_cast<size_t>(bytes(count)));
  if (shape.of != nullptr) {
    backend.from_host(made->value(), widened(source.tensor(*shape.of), count).data());
  } else if (shape.is_a) {
    const float bound = 1 / std::sqrt(static_cast<float>(shape.cols));
    backend.from_host(made->value(), uniform(shape.name, seed, count, bound).data());
  }
  by_name_[made->name] = made.get();
  all_.push_back(std::move(made));
}

Parameter* Parameters::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

PairOfParameters Parameters::pair(const Param& weight) const {
  const std::string module = module_of(weight);
  return {find(module + kLoraA), find(module + kLoraB), learning_.lora(weight.part).scale()};
}

int64_t Parameters::count(const ModelConfig& config, const ParamTable& params, const Learning& learning) {
  int64_t count = 0;
  list(config, params, learning, [&](const Shape& shape) { count += shape.rows * shape.cols; });
  return count;
}

}  // namespace ivl
