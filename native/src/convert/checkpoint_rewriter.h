// A checkpoint's weights written into another folder, a tensor at a time: the shards keep their names, a derived class says what each
// tensor becomes.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors_writer.h"
#include "model/config.h"
#include "model/param.h"

namespace ivl {

class CheckpointRewriter {
 public:
  virtual ~CheckpointRewriter() = default;

  int64_t done() const { return done_; }
  int64_t total() const { return static_cast<int64_t>(work_.size()); }
  uint64_t bytes_done() const { return bytes_done_; }
  uint64_t bytes_total() const { return checkpoint_.total_bytes(); }
  // Does the next tensor. A shard's file appears when it is whole, the index last. Does nothing after the last.
  void step();

 protected:
  // Checks the checkpoint. Error(InvalidArgument) if some of it is quantized; the message ends with `expected`.
  CheckpointRewriter(const std::filesystem::path& folder, const char* expected);
  // Once all is checked: that `output` is a folder (it is made if it is not there) without weights of its own, unless they are those of
  // an earlier run, which are written anew. Nothing is written yet.
  void begin(std::filesystem::path output, bool again = false);

  const ModelConfig& config() const { return config_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const ParamTable& params() const { return params_; }
  // Of its weights.
  DType type() const { return type_; }

  // The tensors that come out of one, perhaps none.
  virtual std::vector<TensorToWrite> written(const TensorInfo& tensor) const = 0;
  // Their bytes, in this order.
  virtual void write(SafetensorsWriter& writer, const TensorInfo& tensor) = 0;
  static TensorToWrite as_it_is(const TensorInfo& tensor) { return {tensor.name, tensor.dtype_name, tensor.shape, tensor.bytes}; }

 private:
  struct Item {
    const SafetensorsFile* shard;
    const TensorInfo* tensor;
  };

  void begin_shard(const SafetensorsFile& shard);
  void finish_shard();
  void write_index() const;

  ModelConfig config_;
  Checkpoint checkpoint_;
  ParamTable params_;  // of the configuration as it is stored
  DType type_;
  std::filesystem::path output_;
  std::vector<Item> work_;
  std::optional<SafetensorsWriter> writer_;
  int64_t done_ = 0;
  uint64_t bytes_done_ = 0;
};

}  // namespace ivl
