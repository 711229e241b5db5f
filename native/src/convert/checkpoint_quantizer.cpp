#include "convert/checkpoint_quantizer.h"

#include <utility>

#include "backend/row_codec.h"
#include "host/processor.h"
#include "model/formats/stored_format.h"
#include "model/weight_formats.h"
#include "tensor/error.h"

namespace ivl {

CheckpointQuantizer::CheckpointQuantizer(const std::filesystem::path& folder, std::filesystem::path output,
                                         const WeightFormats& formats, int threads, const Calibration* calibration)
    : CheckpointRewriter(folder, " already, expected a checkpoint in 16 bits or f32"),
      calibration_(calibration),
      target_(type() == DType::F32 ? DType::BF16 : type()),
      pool_(threads > 0 ? threads : default_threads()) {
  const Precision wanted{.type = target_, .formats = formats};
  for (const Param& param : params().all()) {
    const WeightFormat format = format_of(param, wanted);
    if (!param.again && format != WeightFormat::Plain) formats_[param.name] = format;
  }
  const bool again = calibration_ != nullptr && std::filesystem::exists(Calibration::folder_in(output));
  begin(std::move(output), again);
}

// A second copy of a name, which the index does not mean, stays as it is.
WeightFormat CheckpointQuantizer::format_of_written(const TensorInfo& tensor) const {
  const TensorInfo* meant = checkpoint().find(tensor.name);
  const auto found = formats_.find(tensor.name);
  return found == formats_.end() || meant == nullptr ? WeightFormat::Plain : found->second;
}

std::vector<TensorToWrite> CheckpointQuantizer::written(const TensorInfo& tensor) const {
  const WeightFormat format = format_of_written(tensor);
  if (format != WeightFormat::Plain) return writable_format(format).written(tensor, target_);
  return {as_it_is(tensor)};
}

void CheckpointQuantizer::write(SafetensorsWriter& writer, const TensorInfo& tensor) {
  const WeightFormat format = format_of_written(tensor);
  if (format == WeightFormat::Plain) return writer.write(tensor.data, tensor.bytes);
  if (calibrated(tensor.name) != nullptr) {
    for (const TensorToWrite& part : written(tensor)) writer.write(calibrated(part.name)->data, part.bytes);
    return;
  }
  const HostTensor source{tensor.data, *tensor.dtype, tensor.shape, {}, place_of(tensor)};
  writable_format(format).write(writer, source, target_, row_codec(), pool_);
}

}  // namespace ivl
