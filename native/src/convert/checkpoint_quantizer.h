// A 16-bit checkpoint's weights into a quantized one's (model/formats/), a tensor at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors_writer.h"
#include "host/thread_pool.h"
#include "model/config.h"
#include "model/precision.h"

namespace ivl {

class CheckpointQuantizer {
 public:
  // Checks the checkpoint, and that `output` is a folder (it is made if it is not there) without weights of its own.
  // The shards keep their names and their tensors; other files are the caller's. Nothing is written yet.
  CheckpointQuantizer(const std::filesystem::path& folder, std::filesystem::path output, const WeightFormats& formats, int threads);

  int64_t done() const { return done_; }
  int64_t total() const { return static_cast<int64_t>(work_.size()); }
  uint64_t bytes_done() const { return bytes_done_; }
  uint64_t bytes_total() const { return checkpoint_.total_bytes(); }
  // Does the next tensor. A shard's file appears when it is whole, the index last. Does nothing after the last.
  void step();

 private:
  struct Item {
    const SafetensorsFile* shard;
    const TensorInfo* tensor;
    WeightFormat format;  // that it becomes
  };

  void begin_shard(const SafetensorsFile& shard);
  void finish_shard();
  void write_quantized(const Item& item);
  // The tensors that come out of one.
  std::vector<TensorToWrite> written_for(const Item& item) const;
  void write_index() const;

  std::filesystem::path output_;
  ModelConfig config_;
  Checkpoint checkpoint_;
  DType type_;  // that weights are rounded to before they are quantized, as they would be at load
  ThreadPool pool_;
  std::vector<Item> work_;
  std::optional<SafetensorsWriter> writer_;
  int64_t done_ = 0;
  uint64_t bytes_done_ = 0;
};

}  // namespace ivl
