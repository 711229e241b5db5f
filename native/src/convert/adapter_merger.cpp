#include "convert/adapter_merger.h"

#include <algorithm>
#include <cmath>

#include "checkpoint/non_finite.h"
#include "host/processor.h"

namespace ivl {
namespace {

// The same model as it is called without pairs beside its layers.
ModelConfig unwrapped(ModelConfig config) {
  const Prefixes plain;
  if (config.lora.vision > 0) config.prefixes.vision = plain.vision;
  if (config.lora.language > 0) {
    config.prefixes.decoder = plain.decoder;
    config.prefixes.head = plain.head;
  }
  config.lora = {};
  config.vision.names.wrapped = config.language.names.wrapped = false;
  return config;
}

float rounded(float value, DType type) {
  char memory[sizeof(float)];
  store_f32(memory, type, 0, value);
  return load_f32(memory, type, 0);
}

std::vector<float> values_of(const HostTensor& tensor, DType type, bool rounds) {
  std::vector<float> values(static_cast<size_t>(tensor.shape[0] * tensor.shape[1]));
  for (size_t i = 0; i < values.size(); ++i) {
    const float value = load_f32(tensor.data, tensor.dtype, i);
    values[i] = rounds ? rounded(value, type) : value;
  }
  return values;
}

void require_finite(const TensorInfo& tensor, const std::vector<std::byte>& merged) {
  TensorInfo after = tensor;
  after.data = merged.data();
  const NonFinite bad = scan_non_finite(after);
  if (bad.count == 0) return;
  fail(Status::NotFinite, cat(place_of(tensor), ": ", bad.count, " merged weights are beyond the range of ", tensor.dtype_name,
                              ", the first at ", *bad.first, "; beside the weights the adapter works"));
}

}  // namespace

AdapterMerger::AdapterMerger(const std::filesystem::path& folder, const std::optional<std::filesystem::path>& adapter,
                             std::filesystem::path output, MergeRounding rounding, int threads)
    : CheckpointRewriter(folder, ", expected a checkpoint in 16 bits or f32; merge the adapter first, then quantize"),
      rounding_(rounding),
      pool_(threads > 0 ? threads : default_threads()) {
  LoraTensors own = LoraTensors::of_checkpoint(checkpoint(), config(), params());
  if (!own.pairs().empty()) adapters_.push_back(std::move(own));
  if (adapter) adapters_.push_back(LoraTensors::of_folder(*adapter, config(), params()));
  if (adapters_.empty()) {
    fail(Status::InvalidArgument,
         cat(folder.string(), ": has no pairs of its own, and no adapter was given, expected one of the two"));
  }
  require_mergeable();
  find_names();
  begin(std::move(output));
}

// Where one tensor is both, what is added to the head would be added to the embeddings, too.
void AdapterMerger::require_mergeable() const {
  for (const Param& param : params().all()) {
    if (!param.again) continue;
    for (const LoraTensors& adapter : adapters_) {
      if (const LoraPair* pair = adapter.find(param); pair != nullptr) {
        fail(Status::Unsupported,
             cat(pair->a.where, ": is of the head, which is the embeddings in this checkpoint, expected pairs of other ",
                 "layers; beside the weights it works"));
      }
    }
  }
}

void AdapterMerger::find_names() {
  const ParamTable plain(unwrapped(config()));
  for (size_t i = 0; i < params().all().size(); ++i) {
    const Param& param = params().all()[i];
    if (!param.again) names_[param.name] = plain.all()[i].name;
    for (const std::string& pair : LoraTensors::names_beside(param)) names_[pair] = "";
  }
}

std::vector<TensorToWrite> AdapterMerger::written(const TensorInfo& tensor) const {
  TensorToWrite written = as_it_is(tensor);
  if (const auto name = names_.find(tensor.name); name != names_.end()) written.name = name->second;
  if (written.name.empty()) return {};
  return {written};
}

void AdapterMerger::write(SafetensorsWriter& writer, const TensorInfo& tensor) {
  if (written(tensor).empty()) return;
  std::vector<std::byte> merged;
  for (const LoraTensors& adapter : adapters_) {
    const auto pair = adapter.pairs().find(tensor.name);
    if (pair == adapter.pairs().end()) continue;
    if (merged.empty()) merged.assign(tensor.data, tensor.data + tensor.bytes);
    merge(merged, tensor, pair->second);
  }
  if (!merged.empty()) require_finite(tensor, merged);
  writer.write(merged.empty() ? tensor.data : merged.data(), tensor.bytes);
}

void AdapterMerger::merge(std::vector<std::byte>& weight, const TensorInfo& tensor, const LoraPair& pair) {
  const DType type = *tensor.dtype;
  const bool in_type = rounding_ == MergeRounding::InType;
  const int64_t rows = tensor.shape[0], cols = tensor.elements() / rows, rank = pair.a.shape[0];
  const std::vector<float> a = values_of(pair.a, type, in_type), b = values_of(pair.b, type, in_type);
  pool_.run(rows, [&](int64_t row, int) {
    std::vector<double> sums(static_cast<size_t>(cols), 0.0);
    for (int64_t k = 0; k < rank; ++k) {
      const auto factor = static_cast<double>(b[static_cast<size_t>(row * rank + k)]);
      const float* from = a.data() + k * cols;
      for (int64_t c = 0; c < cols; ++c) sums[static_cast<size_t>(c)] += factor * static_cast<double>(from[c]);
    }
    for (int64_t c = 0; c < cols; ++c) {
      const double product = sums[static_cast<size_t>(c)];
      const auto scale = static_cast<double>(pair.scale);
      const double added =
          in_type ? static_cast<double>(rounded(rounded(static_cast<float>(product), type) * pair.scale, type)) : product * scale;
      const auto at = static_cast<size_t>(row * cols + c);
      const double before = static_cast<double>(load_f32(weight.data(), type, at));
      store_f32(weight.data(), type, at, static_cast<float>(before + added));
    }
  });
}

}  // namespace ivl
