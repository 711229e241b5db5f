#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <system_error>

#include "checkpoint/foreign_file.h"
#include "checkpoint/json.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace fs = std::filesystem;
namespace {

constexpr size_t kListed = 10;  // names in one message

// Also true for a dangling link, so that opening it names what is missing instead of passing over it.
bool has_entry(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// A shard lies beside its index. A name that leads elsewhere is an attack, not a layout.
void require_shard_name(const std::string& shard, const std::string& tensor, const std::string& index) {
  const std::string field = cat(index, ": weight_map.", printable(tensor, 160), ": ");
  const bool separator = shard.find_first_of(std::string_view("/\\\0", 3)) != shard.npos;
  if (shard.empty() || shard == "." || shard.size() > 255 || separator || shard.find("..") != shard.npos) {
    fail(Status::Checkpoint, cat(field, "expected the name of a file in the same folder, got ", quote(shard)));
  }
  if (!shard.ends_with(".safetensors")) {
    fail(Status::Unsupported, cat(field, "expected a .safetensors file, got ", quote(shard)));
  }
}

// Shard name -> the tensors that the index promises in it.
std::map<std::string, std::set<std::string, std::less<>>> read_index(const fs::path& path) {
  const nlohmann::json index = read_json(path);
  const std::string file = path.string();
  if (!index.is_object()) fail(Status::Checkpoint, cat(file, ": expected an object, got ", found(index)));
  const auto weight_map = index.find("weight_map");
  if (weight_map == index.end()) fail(Status::Checkpoint, cat(file, ": weight_map is missing"));
  if (!weight_map->is_object() || weight_map->empty()) {
    fail(Status::Checkpoint, cat(file, ": weight_map: expected an object of tensors and their files, got ",
                                 weight_map->is_object() ? "an empty one" : found(*weight_map)));
  }
  std::map<std::string, std::set<std::string, std::less<>>> shards;
  for (const auto& [tensor, shard] : weight_map->items()) {
    if (!shard.is_string()) {
      fail(Status::Checkpoint,
           cat(file, ": weight_map.", printable(tensor, 160), ": expected the name of a file, got ", found(shard)));
    }
    const auto& name = shard.get_ref<const std::string&>();
    require_shard_name(name, tensor, file);
    shards[name].insert(tensor);
  }
  return shards;
}

// Reports the bytes of the current file on top of those before it.
MappedFile::Progress progress_from(uint64_t before, uint64_t total, const CheckpointOptions& options) {
  if (!options.progress) return {};
  return [=, &options](size_t bytes) { options.progress(before + bytes, total); };
}

}  // namespace

Checkpoint Checkpoint::open(const fs::path& folder, const CheckpointOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) fail(Status::Io, cat(folder.string(), ": no such folder"));
  if (error) fail(Status::Io, cat(folder.string(), ": ", error.message()));
  if (!fs::is_directory(status)) fail(Status::Io, cat(folder.string(), ": expected a checkpoint folder, got a file"));

  Checkpoint checkpoint;
  checkpoint.folder_ = folder.string();
  const fs::path single = folder / "model.safetensors";
  const fs::path index = folder / "model.safetensors.index.json";
  if (has_entry(single)) {
    checkpoint.open_single(single, options);
  } else if (has_entry(index)) {
    checkpoint.open_shards(index, options);
  } else {
    refuse_without_weights(folder);
  }
  checkpoint.sort_tensors();
  if (options.copy_unaligned) checkpoint.copy_unaligned();
  return checkpoint;
}

void Checkpoint::open_single(const fs::path& file, const CheckpointOptions& options) {
  std::error_code ignored;
  const uint64_t total = fs::file_size(file, ignored);
  files_.push_back(SafetensorsFile::open(file, options.mapping, progress_from(0, total, options)));
  tensors_ = files_.back().tensors();
  if (options.progress && options.mapping == Mapping::Map) options.progress(total, total);
}

void Checkpoint::open_shards(const fs::path& index, const CheckpointOptions& options) {
  const auto shards = read_index(index);
  const std::string index_name = index.filename().string();

  // All that is missing at once: after a broken download it is rarely one shard.
  uint64_t total = 0;
  size_t missing = 0;
  std::string listed;
  for (const auto& [shard, promised] : shards) {
    const fs::path path = index.parent_path() / shard;
    std::error_code error;
    if (const uint64_t size = fs::file_size(path, error); !error) total += size;
    if (has_entry(path) || ++missing > kListed) continue;
    listed +=
        cat(listed.empty() ? "" : ", ", quote(shard), " (", promised.size(), " tensors, such as ", quote(*promised.begin()), ")");
  }
  if (missing != 0) {
    fail(Status::Checkpoint, cat(folder_, ": ", missing, " of the ", shards.size(), " shards named by ", index_name,
                                 missing == 1 ? " is missing: " : " are missing: ", listed, missing > kListed ? ", ..." : ""));
  }

  uint64_t done = 0;
  files_.reserve(shards.size());
  for (const auto& [shard, promised] : shards) {
    const SafetensorsFile& file = files_.emplace_back(
        SafetensorsFile::open(index.parent_path() / shard, options.mapping, progress_from(done, total, options)));
    auto unmet = promised;
    for (const TensorInfo& tensor : file.tensors()) {
      if (unmet.erase(tensor.name) != 0) {
        tensors_.push_back(tensor);
      } else {
        unindexed_.push_back(tensor.name);
      }
    }
    // What nobody needs may be missing: old conversions left names behind.
    for (const std::string& name : unmet) promised_.emplace(name, file.file().path());
    done += file.file().size();
    if (options.progress && options.mapping == Mapping::Map) options.progress(done, total);
  }
}

void Checkpoint::sort_tensors() {
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; });
  std::sort(unindexed_.begin(), unindexed_.end());
  for (const TensorInfo& tensor : tensors_) {
    if (!tensor.aligned) unaligned_bytes_ += tensor.bytes;
  }
}

void Checkpoint::copy_unaligned() {
  for (TensorInfo& tensor : tensors_) {
    if (tensor.aligned) continue;
    std::unique_ptr<std::byte[], Free> memory(
        static_cast<std::byte*>(::operator new[](tensor.bytes, kCopyAlignment, std::nothrow)));
    if (!memory) {
      fail(Status::OutOfMemory,
           cat(tensor.file, ": tensor ", quote(tensor.name), ": cannot allocate ", tensor.bytes, " bytes to align it"));
    }
    std::memcpy(memory.get(), tensor.data, tensor.bytes);
    if (const MappedFile* file = file_of(tensor)) {
      file->discard(static_cast<size_t>(tensor.data - file->data()), tensor.bytes);
    }
    tensor.data = memory.get();
    tensor.aligned = true;
    copies_.push_back(std::move(memory));
  }
}

const TensorInfo* Checkpoint::find(std::string_view name) const {
  const auto before = [](const TensorInfo& tensor, std::string_view wanted) { return tensor.name < wanted; };
  const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name, before);
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

const TensorInfo& Checkpoint::get(std::string_view name) const {
  const TensorInfo* tensor = find(name);
  if (tensor == nullptr) fail(Status::Checkpoint, cat(folder_, ": tensor ", quote(name), " is missing", where_promised(name)));
  return *tensor;
}

std::string Checkpoint::where_promised(std::string_view name) const {
  const auto at = promised_.find(name);
  return at == promised_.end() ? "" : cat(" from ", at->second, ", where the index promises it");
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const TensorInfo& tensor : tensors_) names.push_back(tensor.name);
  return names;
}

uint64_t Checkpoint::total_bytes() const {
  uint64_t total = 0;
  for (const TensorInfo& tensor : tensors_) total += tensor.bytes;
  return total;
}

uint64_t Checkpoint::unaligned_bytes() const { return unaligned_bytes_; }

void Checkpoint::will_need(const TensorInfo& tensor) const noexcept {
  if (const MappedFile* file = file_of(tensor)) {
    file->will_need(static_cast<size_t>(tensor.data - file->data()), tensor.bytes);
  }
}

void Checkpoint::discard(const TensorInfo& tensor) const noexcept {
  if (const MappedFile* file = file_of(tensor)) {
    file->discard(static_cast<size_t>(tensor.data - file->data()), tensor.bytes);
  }
}

const MappedFile* Checkpoint::file_of(const TensorInfo& tensor) const noexcept {
  const std::less<const std::byte*> before;  // a total order, also over pointers into different memory
  for (const SafetensorsFile& file : files_) {
    const MappedFile& mapped = file.file();
    if (!before(tensor.data, mapped.data()) && before(tensor.data, mapped.data() + mapped.size())) return &mapped;
  }
  return nullptr;
}

}  // namespace ivl
