// A decoder's linear layers in int4 for the inputs that some requests give them, a layer at a time: each layer's inputs are those that
// the layers before it give in int4.
//
// In memory are one layer in 16 bits and what Gptq needs for its largest weight, and every row of the requests as it leaves a layer, in
// f32. A layer that is done is kept in a file of its own, which says what it was made of: who begins again goes on behind it.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "convert/gptq.h"
#include "model/decoder.h"
#include "model/internvl_chat.h"

namespace ivl {

// As the model would be asked.
struct CalibrationRequest {
  std::span<const int32_t> tokens = {};
  int32_t image_token = -1;
  const float* pixels = nullptr;  // (pictures, channels, S, S), normalized
  int64_t pictures = 0;
};

class Calibration {
 public:
  // `folder` is a plain checkpoint that is complete. The layers' files are kept in folder_in(output) until discard_files(). The backend's
  // memory must be the host's, and its activations f32. Error(Unsupported) if the checkpoint has pairs of LoRA beside its layers.
  Calibration(const std::filesystem::path& folder, const std::filesystem::path& output, WeightFormat vision,
              std::shared_ptr<Backend> backend, int threads);
  ~Calibration();
  Calibration(const Calibration&) = delete;
  Calibration& operator=(const Calibration&) = delete;

  static std::filesystem::path folder_in(const std::filesystem::path& output) { return output / "calibration"; }

  // Before the first step. Error(InvalidArgument) if its tokens are none, too many or unknown, or do not fit its pictures.
  void add(const CalibrationRequest& request);
  int64_t tokens() const;
  // The most inputs of a layer that is calibrated.
  int64_t widest() const;

  int64_t done() const { return static_cast<int64_t>(layers_.size()); }
  int64_t total() const { return config_.language.layers; }
  uint64_t bytes_done() const { return bytes_done_; }
  uint64_t bytes_total() const { return bytes_total_; }
  // Does the next layer, or finds it done. Error(InvalidArgument) if there are no requests.
  void step();

  // A tensor of a layer that is done; null: it is none of those that are calibrated, which are all linear layers but experts and routers.
  const TensorInfo* find(const std::string& name) const;
  // Once everything is written.
  void discard_files();

 private:
  class RowsRecorder;
  class InputRecorder;
  class OutputRecorder;
  class LayerSource;

  struct Rows {
    Buffer memory;
    int64_t count = 0;
    Matrix matrix(int64_t width) const { return memory.matrix(DType::F32, count, width); }
  };

  Buffer features_of(const CalibrationRequest& request);
  void require_fits(const CalibrationRequest& request) const;
  Precision precision(WeightFormat decoder) const;
  std::vector<const Param*> calibrated(int64_t layer) const;
  std::string fingerprint(int64_t layer) const;
  std::filesystem::path file_of(int64_t layer) const;
  // Whether the layer's file is there and was made of the same.
  bool is_done(int64_t layer) const;
  void quantize(int64_t layer);
  // Passes all requests' rows through the layer: its plain weights, or those that are done.
  void run(int64_t layer, WeightFormat format, RowsRecorder& recorder);

  ModelConfig config_;
  std::filesystem::path work_;
  std::unique_ptr<Checkpoint> checkpoint_;
  ParamTable params_;
  DType type_;
  WeightFormat vision_;
  std::shared_ptr<Backend> backend_;
  ThreadPool pool_;
  std::unique_ptr<InternVLChat> tower_;  // once there is a picture, until the first step
  std::vector<Rows> requests_;           // as they leave the last layer that is done
  std::vector<SafetensorsFile> layers_;
  uint64_t bytes_done_ = 0, bytes_total_ = 0;
};

}  // namespace ivl
