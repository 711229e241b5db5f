// A checkpoint into int4, calibrated: the decoder's layers one after the other, then the files, a tensor at a time.
#pragma once

#include "convert/calibration.h"
#include "convert/checkpoint_quantizer.h"

namespace ivl {

class CalibratedQuantizer {
 public:
  // As CheckpointQuantizer and Calibration.
  CalibratedQuantizer(const std::filesystem::path& folder, const std::filesystem::path& output, const WeightFormats& formats,
                      std::shared_ptr<Backend> backend, int threads)
      : quantizer_(folder, output, formats, threads, &calibration_),
        calibration_(folder, output, formats.vision, std::move(backend), threads) {}

  Calibration& calibration() { return calibration_; }
  int64_t done() const { return calibration_.done() + quantizer_.done(); }
  int64_t total() const { return calibration_.total() + quantizer_.total(); }
  uint64_t bytes_done() const { return calibration_.bytes_done() + quantizer_.bytes_done(); }
  uint64_t bytes_total() const { return calibration_.bytes_total() + quantizer_.bytes_total(); }

  void step() {
    if (calibration_.done() < calibration_.total()) return calibration_.step();
    quantizer_.step();
    if (done() == total()) calibration_.discard_files();
  }

 private:
  CheckpointQuantizer quantizer_;
  Calibration calibration_;
};

}  // namespace ivl
