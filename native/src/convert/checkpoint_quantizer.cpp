#include "convert/checkpoint_quantizer.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "backend/row_codec.h"
#include "host/processor.h"
#include "model/formats/stored_format.h"
#include "model/weight_formats.h"
#include "model/weights.h"
#include "tensor/error.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "model.safetensors.index.json";

std::string file_name(const SafetensorsFile& shard) { return fs::path(shard.file().path()).filename().string(); }

void prepare(const fs::path& output) {
  std::error_code error;
  fs::create_directories(output, error);
  if (!fs::is_directory(output)) fail(Status::Io, cat(output.string(), ": cannot make this folder: ", error.message()));
  for (const fs::directory_entry& entry : fs::directory_iterator(output)) {
    if (entry.path().extension() == ".safetensors") {
      fail(Status::InvalidArgument,
           cat(output.string(), ": expected a folder without weights, but there is ", entry.path().filename().string()));
    }
  }
}

}  // namespace

CheckpointQuantizer::CheckpointQuantizer(const fs::path& folder, fs::path output, const WeightFormats& formats, int threads)
    : output_(std::move(output)),
      config_(load_config(folder)),
      checkpoint_(Checkpoint::open(folder)),
      pool_(threads > 0 ? threads : default_threads()) {
  config_ = as_stored(std::move(config_), checkpoint_);
  require_weights(checkpoint_, config_);
  const ParamTable params(config_);
  const Precision stored = stored_precision(checkpoint_, params);
  for (const WeightFormat format : {stored.formats.decoder, stored.formats.head, stored.formats.vision}) {
    if (format == WeightFormat::Plain) continue;
    fail(Status::InvalidArgument,
         cat(folder.string(), ": is in ", name_of(format), " already, expected a checkpoint in 16 bits or f32"));
  }
  type_ = stored.type == DType::F32 ? DType::BF16 : stored.type;
  prepare(output_);
  const Precision wanted{.type = type_, .formats = formats};
  for (const SafetensorsFile& shard : checkpoint_.files()) {
    for (const TensorInfo& tensor : shard.tensors()) {
      const Param* param = checkpoint_.find(tensor.name) != nullptr ? params.find(tensor.name) : nullptr;
      work_.push_back({&shard, &tensor, param == nullptr ? WeightFormat::Plain : format_of(*param, wanted)});
    }
  }
}

void CheckpointQuantizer::step() {
  if (done_ == total()) return;
  const Item& item = work_[static_cast<size_t>(done_)];
  if (!writer_) begin_shard(*item.shard);
  if (item.format != WeightFormat::Plain) {
    write_quantized(item);
  } else {
    writer_->write(item.tensor->data, item.tensor->bytes);
  }
  bytes_done_ += item.tensor->bytes;
  ++done_;
  const bool last_of_shard = done_ == total() || work_[static_cast<size_t>(done_)].shard != item.shard;
  if (last_of_shard) finish_shard();
}

void CheckpointQuantizer::begin_shard(const SafetensorsFile& shard) {
  std::vector<TensorToWrite> tensors;
  for (const Item& item : work_) {
    if (item.shard != &shard) continue;
    for (TensorToWrite& tensor : written_for(item)) tensors.push_back(std::move(tensor));
  }
  writer_.emplace(output_ / file_name(shard), tensors, shard.metadata());
}

void CheckpointQuantizer::finish_shard() {
  writer_->finish();
  writer_.reset();
  if (done_ == total() && checkpoint_.files().size() > 1) write_index();
}

std::vector<TensorToWrite> CheckpointQuantizer::written_for(const Item& item) const {
  const TensorInfo& tensor = *item.tensor;
  if (item.format != WeightFormat::Plain) return writable_format(item.format).written(tensor, type_);
  return {{tensor.name, tensor.dtype_name, tensor.shape, tensor.bytes}};
}

void CheckpointQuantizer::write_quantized(const Item& item) {
  const TensorInfo& tensor = *item.tensor;
  const HostTensor source{tensor.data, *tensor.dtype, tensor.shape, {}, place_of(tensor)};
  writable_format(item.format).write(*writer_, source, type_, row_codec(), pool_);
}

void CheckpointQuantizer::write_index() const {
  nlohmann::ordered_json map;
  uint64_t bytes = 0;
  for (const Item& item : work_) {
    for (const TensorToWrite& tensor : written_for(item)) {
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
