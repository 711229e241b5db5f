#include "train/trained_checkpoint.h"

namespace ivl {

TrainedCheckpoint::TrainedCheckpoint(const std::filesystem::path& folder, const std::filesystem::path& output,
                                     const Parameters& parameters)
    : CheckpointRewriter(folder, ", expected a checkpoint in 16 bits or f32"), parameters_(parameters) {
  begin(output);
}

void TrainedCheckpoint::write(SafetensorsWriter& writer, const TensorInfo& tensor) {
  const Parameter* learnt = parameters_.find(tensor.name);
  if (learnt == nullptr) return writer.write(tensor.data, tensor.bytes);
  std::vector<std::byte> stored(tensor.bytes);
  for (size_t i = 0; i < static_cast<size_t>(learnt->elements()); ++i) {
    store_f32(stored.data(), *tensor.dtype, i, load_f32(learnt->value().data, DType::F32, i));
  }
  writer.write(stored.data(), stored.size());
}

}  // namespace ivl
