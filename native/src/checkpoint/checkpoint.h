// A checkpoint's weights by name, whether they lie in one safetensors file or in shards with an index.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors.h"

namespace ivl {

struct CheckpointOptions {
  Mapping mapping = Mapping::Map;
  // Tensors whose data is not aligned to its element size (rare: files not written by the safetensors library) are
  // copied into memory of ours, so that kernels may load whole elements. False leaves them: enough to look at names
  // and shapes.
  bool copy_unaligned = true;
  // Bytes of shards opened so far, of all shards: with Mapping::Copy these are read, with Map only looked at. May
  // throw to stop.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

class Checkpoint {
 public:
  // Opens `folder`/model.safetensors or, without it, the shards of `folder`/model.safetensors.index.json. With
  // Mapping::Map this reads headers only, however large the tensors are, so that a memory plan can be made before
  // anything is loaded (but for unaligned tensors, see CheckpointOptions::copy_unaligned).
  // Error(Io): no such folder, or a file that cannot be read. Error(Checkpoint): no weights in it, a missing or
  // malformed shard, a malformed index. Error(Unsupported): weights of another format, such as PyTorch pickles.
  // Error(OutOfMemory): no memory for Mapping::Copy or for unaligned tensors.
  static Checkpoint open(const std::filesystem::path& folder, const CheckpointOptions& options = {});

  // nullptr if there is none. Pointers stay valid while the checkpoint lives, moved or not.
  const TensorInfo* find(std::string_view name) const;
  // The same, but Error(Checkpoint) if there is none.
  const TensorInfo& get(std::string_view name) const;

  const std::vector<TensorInfo>& tensors() const { return tensors_; }  // by name
  std::vector<std::string> names() const;
  // Tensors that lie in a shard without the index saying so. They are not found by find().
  const std::vector<std::string>& unindexed() const { return unindexed_; }
  // Names that the index promises in a shard that does not have them, with the shard's path.
  const std::map<std::string, std::string, std::less<>>& promised() const { return promised_; }
  // " from SHARD, where the index promises it", for messages; empty if it is promised nowhere.
  std::string where_promised(std::string_view name) const;
  const std::vector<SafetensorsFile>& files() const { return files_; }
  const std::string& folder() const { return folder_; }

  uint64_t total_bytes() const;      // of all tensors, without headers
  uint64_t unaligned_bytes() const;  // of those that are, or would have been, copied for their alignment

  // See MappedFile. For tensors of this checkpoint; on a copied tensor they do nothing.
  void will_need(const TensorInfo& tensor) const noexcept;
  void discard(const TensorInfo& tensor) const noexcept;

 private:
  static constexpr std::align_val_t kCopyAlignment{64};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete[](memory, kCopyAlignment); }
  };

  void open_single(const std::filesystem::path& file, const CheckpointOptions& options);
  void open_shards(const std::filesystem::path& index, const CheckpointOptions& options);
  void sort_tensors();
  void copy_unaligned();
  const MappedFile* file_of(const TensorInfo& tensor) const noexcept;

  std::string folder_;
  std::vector<SafetensorsFile> files_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::string> unindexed_;
  std::map<std::string, std::string, std::less<>> promised_;
  std::vector<std::unique_ptr<std::byte[], Free>> copies_;
  uint64_t unaligned_bytes_ = 0;
};

}  // namespace ivl
