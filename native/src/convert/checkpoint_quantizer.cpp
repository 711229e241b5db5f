#include "convert/checkpoint_quantizer.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "backend/int8_weights.h"
#include "checkpoint/int8_tensors.h"
#include "host/processor.h"
#include "model/int8_layers.h"
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

// The tensors that come out of one.
std::vector<TensorToWrite> written_for(const TensorInfo& tensor, bool quantize) {
  if (!quantize) return {{tensor.name, tensor.dtype_name, tensor.shape, tensor.bytes}};
  const auto rows = static_cast<uint64_t>(tensor.shape[0]);
  return {{tensor.name, "I8", tensor.shape, static_cast<uint64_t>(tensor.elements())},
          {int8_scale_name(tensor.name), "F32", {tensor.shape[0]}, rows * sizeof(float)},
          {int8_sum_name(tensor.name), "I32", {tensor.shape[0]}, rows * sizeof(int32_t)}};
}

}  // namespace

CheckpointQuantizer::CheckpointQuantizer(const fs::path& folder, fs::path output, bool vision, int threads)
    : output_(std::move(output)),
      config_(load_config(folder)),
      checkpoint_(Checkpoint::open(folder)),
      pool_(threads > 0 ? threads : default_threads()) {
  config_ = as_stored(std::move(config_), checkpoint_);
  require_weights(checkpoint_, config_);
  const ParamTable params(config_);
  const Precision stored = stored_precision(checkpoint_, params);
  if (stored.int8_decoder || stored.int8_vision) {
    fail(Status::InvalidArgument, cat(folder.string(), ": is in int8 already, expected a checkpoint in 16 bits or f32"));
  }
  type_ = stored.type == DType::F32 ? DType::BF16 : stored.type;
  prepare(output_);
  const Precision wanted{type_, true, vision};
  for (const SafetensorsFile& shard : checkpoint_.files()) {
    for (const TensorInfo& tensor : shard.tensors()) {
      const Param* param = checkpoint_.find(tensor.name) != nullptr ? params.find(tensor.name) : nullptr;
      work_.push_back({&shard, &tensor, param != nullptr && is_int8_layer(*param, wanted)});
    }
  }
}

void CheckpointQuantizer::step() {
  if (done_ == total()) return;
  const Item& item = work_[static_cast<size_t>(done_)];
  if (!writer_) begin_shard(*item.shard);
  if (item.quantize) {
    write_int8(*item.tensor);
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
    for (TensorToWrite& tensor : written_for(*item.tensor, item.quantize)) tensors.push_back(std::move(tensor));
  }
  writer_.emplace(output_ / file_name(shard), tensors, shard.metadata());
}

void CheckpointQuantizer::finish_shard() {
  writer_->finish();
  writer_.reset();
  if (done_ == total() && checkpoint_.files().size() > 1) write_index();
}

void CheckpointQuantizer::write_int8(const TensorInfo& tensor) {
  const HostTensor source{tensor.data, *tensor.dtype, tensor.shape, nullptr, nullptr, place_of(tensor)};
  const Int8Weights weights = int8_weights(source, type_, row_codec(), pool_);
  const auto inputs = static_cast<uint64_t>(tensor.shape[1]);
  for (int64_t row = 0; row < weights.rows; ++row) writer_->write(weights.values + row * weights.stride, inputs);
  writer_->write(weights.scales, static_cast<uint64_t>(weights.rows) * sizeof(float));
  writer_->write(weights.sums, static_cast<uint64_t>(weights.rows) * sizeof(int32_t));
}

void CheckpointQuantizer::write_index() const {
  nlohmann::ordered_json map;
  uint64_t bytes = 0;
  for (const Item& item : work_) {
    for (const TensorToWrite& tensor : written_for(*item.tensor, item.quantize)) {
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
