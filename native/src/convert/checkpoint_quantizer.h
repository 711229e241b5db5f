// A 16-bit checkpoint's weights into a quantized one's (model/formats/), a tensor at a time.
#pragma once

#include <filesystem>
#include <map>

#include "convert/calibration.h"
#include "convert/checkpoint_rewriter.h"
#include "host/thread_pool.h"
#include "model/precision.h"

namespace ivl {

class CheckpointQuantizer final : public CheckpointRewriter {
 public:
  // Checks the checkpoint, and that `output` is a folder (it is made if it is not there) without weights of its own.
  // The shards keep their names and their tensors; other files are the caller's. Nothing is written yet.
  // A calibration that is complete before the first step() gives the weights that it has; it outlives this. Then `output` may hold what an
  // earlier run has left there, beside its layers' files.
  CheckpointQuantizer(const std::filesystem::path& folder, std::filesystem::path output, const WeightFormats& formats, int threads,
                      const Calibration* calibration = nullptr);

 private:
  std::vector<TensorToWrite> written(const TensorInfo& tensor) const override;
  void write(SafetensorsWriter& writer, const TensorInfo& tensor) override;
  WeightFormat format_of_written(const TensorInfo& tensor) const;

  const TensorInfo* calibrated(const std::string& name) const {
    return calibration_ == nullptr ? nullptr : calibration_->find(name);
  }

  const Calibration* calibration_;
  DType target_;  // that weights are rounded to before they are quantized, as they would be at load
  ThreadPool pool_;
  std::map<std::string, WeightFormat, std::less<>> formats_;  // of tensors that become another than plain
};

}  // namespace ivl
