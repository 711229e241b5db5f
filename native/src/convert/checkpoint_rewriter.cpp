#include "convert/checkpoint_rewriter.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/weight_formats.h"
#include "model/weights.h"
#include "tensor/error.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "model.safetensors.index.json";

std::string file_name(const SafetensorsFile& shard) { return fs::path(shard.file().path()).filename().string(); }

void prepare(const fs::path& output, bool again) {
  std::error_code error;
  fs::create_directories(output, error);
  if (!fs::is_directory(output)) fail(Status::Io, cat(output.string(), ": cannot make this folder: ", error.message()));
  for (const fs::directory_entry& entry : fs::directory_iterator(output)) {
    if (!again && entry.path().extension() == ".safetensors") {
      fail(Status::InvalidArgument,
           cat(output.string(), ": expected a folder without weights, but there is ", entry.path().filename().string()));
    }
  }
}

}  // namespace

CheckpointRewriter::CheckpointRewriter(const fs::path& folder, const char* expected)
    : config_(load_config(folder)),
      checkpoint_(Checkpoint::open(folder)),
      params_(config_ = as_stored(std::move(config_), checkpoint_)) {
  require_weights(checkpoint_, config_);
  const Precision stored = stored_precision(checkpoint_, params_);
  for (const WeightFormat format : {stored.formats.decoder, stored.formats.head, stored.formats.vision}) {
    if (format == WeightFormat::Plain) continue;
    fail(Status::InvalidArgument, cat(folder.string(), ": is in ", name_of(format), expected));
  }
  type_ = stored.type;
}

void CheckpointRewriter::begin(fs::path output, bool again) {
  prepare(output, again);
  output_ = std::move(output);
  for (const SafetensorsFile& shard : checkpoint_.files()) {
    for (const TensorInfo& tensor : shard.tensors()) work_.push_back({&shard, &tensor});
  }
}

void CheckpointRewriter::step() {
  if (done_ == total()) return;
  const Item& item = work_[static_cast<size_t>(done_)];
  if (!writer_) begin_shard(*item.shard);
  write(*writer_, *item.tensor);
  bytes_done_ += item.tensor->bytes;
  ++done_;
  const bool last_of_shard = done_ == total() || work_[static_cast<size_t>(done_)].shard != item.shard;
  if (last_of_shard) finish_shard();
}

void CheckpointRewriter::begin_shard(const SafetensorsFile& shard) {
  std::vector<TensorToWrite> tensors;
  for (const Item& item : work_) {
    if (item.shard != &shard) continue;
    for (TensorToWrite& tensor : written(*item.tensor)) tensors.push_back(std::move(tensor));
  }
  writer_.emplace(output_ / file_name(shard), tensors, shard.metadata());
}

void CheckpointRewriter::finish_shard() {
  writer_->finish();
  writer_.reset();
  if (done_ == total() && checkpoint_.files().size() > 1) write_index();
}

void CheckpointRewriter::write_index() const {
  nlohmann::ordered_json map;
  uint64_t bytes = 0;
  for (const Item& item : work_) {
    for (const TensorToWrite& tensor : written(*item.tensor)) {
      map[tensor.name] = file_name(*item.shard);
      bytes += tensor.bytes;
    }
  }
  const nlohmann::ordered_json index = {{"metadata", {{"total_size", bytes}}}, {"weight_map", map}};
  std::ofstream file(output_ / kIndex, std::ios::trunc);
  file << index.dump(2) << '\n';
  file.flush();
  if (!file) fail(Status::Io, cat((output_ / kIndex).string(), ": cannot write it"));
}

}  // namespace ivl
