#include "train/trained_checkpoint.h"

namespace ivl {

TrainedCheckpoint::TrainedCheckpoint(const std::filesystem::path& folder, const std::filesystem::path& output, Backend& backend,
                                     const Parameters& parameters)
    : CheckpointRewriter(folder, ", expected a checkpoint in 16 bits or f32"), backend_(backend), parameters_(parameters) {
  begin(output);
}

void TrainedCheckpoint::write(SafetensorsWriter& writer, const TensorInfo& tensor) {
  const Parameter* learnt = parameters_.find(tensor.name);
  if (learnt == nullptr) return writer.write(tensor.data, tensor.bytes);
  std::vector<float> values(static_cast<size_t>(learnt->elements()));
  backend_.to_host(values.data(), learnt->value());
  std::vector<std::byte> stored(tensor.bytes);
  for (size_t i = 0; i < values.size(); ++i) store_f32(stored.data(), *tensor.dtype, i, values[i]);
  writer.write(stored.data(), stored.size());
}

}  // namespace ivl
