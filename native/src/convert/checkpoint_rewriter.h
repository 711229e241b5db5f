// A checkpoint's weights written into another folder, a tensor at a time: the shards keep their names, each tensor becomes what a
// Rewrite makes of it.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors_writer.h"

namespace ivl {

// What becomes of a tensor.
class Rewrite {
 public:
  virtual ~Rewrite() = default;
  // The tensors that come out of it, perhaps none.
  virtual std::vector<TensorToWrite> written(const TensorInfo& tensor) const = 0;
  // Their bytes, in this order.
  virtual void write(SafetensorsWriter& writer, const TensorInfo& tensor) = 0;

 protected:
  static TensorToWrite as_it_is(const TensorInfo& tensor) { return {tensor.name, tensor.dtype_name, tensor.shape, tensor.bytes}; }
};

class CheckpointRewriter {
 public:
  // Checks that `output` is a folder (it is made if it is not there) without weights of its own. Nothing is written yet. The
  // checkpoint outlives it.
  CheckpointRewriter(const Checkpoint& checkpoint, std::filesystem::path output);

  int64_t done() const { return done_; }
  int64_t total() const { return static_cast<int64_t>(work_.size()); }
  uint64_t bytes_done() const { return bytes_done_; }
  uint64_t bytes_total() const { return checkpoint_.total_bytes(); }
  // Does the next tensor. A shard's file appears when it is whole, the index last. Does nothing after the last.
  void step(Rewrite& rewrite);

 private:
  struct Item {
    const SafetensorsFile* shard;
    const TensorInfo* tensor;
  };

  void begin_shard(const SafetensorsFile& shard, const Rewrite& rewrite);
  void finish_shard(const Rewrite& rewrite);
  void write_index(const Rewrite& rewrite) const;

  const Checkpoint& checkpoint_;
  std::filesystem::path output_;
  std::vector<Item> work_;
  std::optional<SafetensorsWriter> writer_;
  int64_t done_ = 0;
  uint64_t bytes_done_ = 0;
};

}  // namespace ivl
