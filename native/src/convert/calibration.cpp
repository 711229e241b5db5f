#include "convert/calibration.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

#include "backend/row_codec.h"
#include "host/processor.h"
#include "model/checkpoint_weights.h"
#include "model/formats/stored_format.h"
#include "model/weight_formats.h"
#include "model/weights.h"
#include "tensor/error.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMadeOf = "made_of";  // in a layer's file

// FNV-1a of eight bytes at a time, four of them side by side.
class Digest {
 public:
  void add(const void* data, size_t bytes) {
    const auto* from = static_cast<const std::byte*>(data);
    size_t lane = 0;
    for (; bytes > 0; lane = (lane + 1) % lanes_.size()) {
      uint64_t word = bytes;
      const size_t some = std::min(bytes, sizeof word);
      std::memcpy(&word, from, some);
      lanes_[lane] = (lanes_[lane] ^ word) * 0x100000001b3;
      lanes_[lane] ^= lanes_[lane] >> 32;
      from += some;
      bytes -= some;
    }
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  std::string text() const {
    std::string all;
    for (const uint64_t lane : lanes_) all += cat(lane, " ");
    return all;
  }

 private:
  std::array<uint64_t, 4> lanes_{0xcbf29ce484222325, 1, 2, 3};
};

// One layer as a whole decoder, whose rows come in as features do.
ModelConfig config_of_layer(ModelConfig config, int64_t layer) {
  LanguageConfig& language = config.language;
  if (language.experts.count > 0) language.experts.in_layer = {language.has_experts(layer)};
  language.layers = 1;
  return config;
}

// Runs of placeholders, which the features replace in their order.
std::vector<Splice> splices_of(const CalibrationRequest& request, const Matrix& features) {
  std::vector<Splice> splices;
  int64_t used = 0;
  const auto count = static_cast<int64_t>(request.tokens.size());
  for (int64_t row = 0; row < count;) {
    int64_t end = row;
    while (end < count && request.tokens[static_cast<size_t>(end)] == request.image_token) ++end;
    if (end > row) splices.push_back({row, features.row_range(used, end - row)});
    used += end - row;
    row = std::max(end, row + 1);
  }
  return splices;
}

}  // namespace

class Calibration::RowsRecorder : public Recorder {
 public:
  // Of the next request, before they pass.
  virtual void begin(const Matrix& rows) = 0;
};

// Sums the inputs of a layer's linear layers up.
class Calibration::InputRecorder final : public RowsRecorder {
 public:
  void begin(const Matrix&) override {}
  void record(const std::string&, Backend&, const Matrix&, int64_t) override {}
  void record_input(Use use, Backend& backend, const Matrix& rows) override {
    grams_.try_emplace(use, backend, rows.cols).first->second.add(rows);
  }
  // Of the layers of this use, and only once.
  Gram take(Use use) { return std::move(grams_.extract(use).mapped()); }
  bool has(Use use) const { return grams_.contains(use); }

 private:
  std::map<Use, Gram> grams_;
};

// Takes a layer's results for its next inputs.
class Calibration::OutputRecorder final : public RowsRecorder {
 public:
  void begin(const Matrix& rows) override {
    rows_ = rows;
    at_ = 0;
  }
  void record(const std::string& name, Backend& backend, const Matrix& activation, int64_t) override {
    if (name == "decoder.embeddings") return;
    backend.copy(rows_.row_range(at_, activation.rows), activation);
    at_ += activation.rows;
  }

 private:
  Matrix rows_;
  int64_t at_ = 0;
};

// The weights of one of the layers under the names of a decoder's only one.
class Calibration::LayerSource final : public WeightSource {
 public:
  LayerSource(const Calibration& of, int64_t layer, const ParamTable& alone, bool quantized)
      : of_(of), layer_(layer), alone_(alone), quantized_(quantized) {}

  HostTensor tensor(const Param& param) override {
    if (param.role == Role::Table) return {zeros_.data(), DType::F32, {1, static_cast<int64_t>(zeros_.size())}};
    const auto place = &param - alone_.of(Part::DecoderLayer).data();
    const std::string& name = of_.params_.of(Part::DecoderLayer, layer_)[static_cast<size_t>(place)].name;
    const TensorInfo* done = quantized_ ? of_.find(name) : nullptr;
    if (done == nullptr) return plain(of_.checkpoint_->get(name));
    const void* scales = of_.find(scales_of(name))->data;
    return {done->data, of_.type_, param.shape, {WeightFormat::Int4, scales, nullptr, nullptr, kInt4Group}, place_of(*done)};
  }

  static HostTensor plain(const TensorInfo& info) { return {info.data, *info.dtype, info.shape, {}, place_of(info)}; }

 private:
  const Calibration& of_;
  int64_t layer_;
  const ParamTable& alone_;
  bool quantized_;
  std::vector<float> zeros_ = std::vector<float>(static_cast<size_t>(of_.config_.language.hidden));  // every token is a feature
};

Calibration::Calibration(const fs::path& folder, const fs::path& output, WeightFormat vision, std::shared_ptr<Backend> backend,
                         int threads)
    : config_(load_config(folder)),
      work_(folder_in(output)),
      checkpoint_(std::make_unique<Checkpoint>(Checkpoint::open(folder))),
      params_(config_ = as_stored(std::move(config_), *checkpoint_)),
      type_(stored_precision(*checkpoint_, params_).type),
      vision_(vision),
      backend_(std::move(backend)),
      pool_(threads > 0 ? threads : default_threads()) {
  if (type_ == DType::F32) type_ = DType::BF16;
  if (config_.lora.language > 0 || config_.lora.vision > 0) {
    fail(Status::Unsupported,
         cat(folder.string(), ": has pairs of LoRA beside its layers, which calibration would not see; merge them first"));
  }
  for (int64_t layer = 0; layer < total(); ++layer) {
    for (const Param* param : calibrated(layer)) bytes_total_ += checkpoint_->get(param->name).bytes;
  }
}

Calibration::~Calibration() = default;

std::vector<const Param*> Calibration::calibrated(int64_t layer) const {
  std::vector<const Param*> all;
  for (const Param& param : params_.of(Part::DecoderLayer, layer)) {
    if (param.role == Role::Linear && param.use != Use::Router && param.expert < 0) all.push_back(&param);
  }
  return all;
}

Precision Calibration::precision(WeightFormat decoder) const {
  return {.type = type_, .formats = {decoder, WeightFormat::Plain, vision_}, .kv = KvType::F32};
}

// ---- requests ------------------------------------------------------------------------------------------------------------------

int64_t Calibration::tokens() const {
  int64_t all = 0;
  for (const Rows& request : requests_) all += request.count;
  return all;
}

int64_t Calibration::widest() const {
  int64_t most = 0;
  for (int64_t layer = 0; layer < total(); ++layer) {
    for (const Param* param : calibrated(layer)) most = std::max(most, param->shape[1]);
  }
  return most;
}

void Calibration::require_fits(const CalibrationRequest& request) const {
  const auto refuse = [&](const std::string& why) {
    fail(Status::InvalidArgument, cat("request ", requests_.size() + 1, " of the calibration: ", why));
  };
  const LanguageConfig& language = config_.language;
  const auto count = static_cast<int64_t>(request.tokens.size());
  if (count == 0 || count > language.context) {
    refuse(cat("has ", count, " tokens, expected 1 to the context's ", language.context));
  }
  for (const int32_t token : request.tokens) {
    if (token < 0 || token >= language.vocab) refuse(cat("has the token ", token, ", expected 0 to ", language.vocab - 1));
  }
  const auto places = std::count(request.tokens.begin(), request.tokens.end(), request.image_token);
  const int64_t rows = request.pictures * config_.tokens_per_image();
  if (places != rows) {
    refuse(cat("has placeholders for ", places, " image tokens, but its images have ", rows, " (", config_.tokens_per_image(),
               " an image)"));
  }
}

Buffer Calibration::features_of(const CalibrationRequest& request) {
  if (request.pictures == 0) return {};
  const ModelConfig& config = config_;
  if (tower_ == nullptr) {
    auto source = std::make_unique<CheckpointWeights>(std::make_unique<Checkpoint>(Checkpoint::open(checkpoint_->folder())));
    tower_ = std::make_unique<InternVLChat>(Placement::on(backend_, config.language.layers), config, std::move(source),
                                            precision(WeightFormat::Plain));
    const int64_t decoder = config.language.layers + 2;  // parts, which come last
    for (int64_t part = 0; part < tower_->parts() - decoder; ++part) tower_->load_part(part);
  }
  const std::atomic<bool> closing{false};
  return tower_->encode(request.pixels, request.pictures, nullptr, Cancellation(closing, nullptr));
}

void Calibration::add(const CalibrationRequest& request) {
  if (done() > 0) fail(Status::InvalidArgument, "the calibration has begun, expected its requests before");
  require_fits(request);
  const Buffer features = features_of(request);
  const int64_t width = config_.language.hidden, pictures = request.pictures * config_.tokens_per_image();
  const TensorInfo& table = checkpoint_->get(params_.of(Part::Tokens).front().name);
  const auto embeddings = backend_->table(LayerSource::plain(table), DType::F32);
  Rows rows;
  rows.count = static_cast<int64_t>(request.tokens.size());
  rows.memory = backend_->allocate(static_cast<size_t>(rows.count * width) * sizeof(float));
  backend_->embed(rows.matrix(width), *embeddings, request.tokens,
                  splices_of(request, features.matrix(DType::F32, pictures, width)));
  requests_.push_back(std::move(rows));
}

// ---- layers --------------------------------------------------------------------------------------------------------------------

fs::path Calibration::file_of(int64_t layer) const { return work_ / cat("layer-", layer, ".safetensors"); }

// Of all that the layer's weights in int4 depend on.
std::string Calibration::fingerprint(int64_t layer) const {
  Digest digest;
  for (const Rows& request : requests_) {
    digest.add(request.memory.data(), static_cast<size_t>(request.count * config_.language.hidden) * sizeof(float));
  }
  for (const Param& param : params_.of(Part::DecoderLayer, layer)) {
    const TensorInfo& tensor = checkpoint_->get(param.name);
    digest.add(param.name + tensor.dtype_name);
    digest.add(tensor.data, tensor.bytes);
  }
  return digest.text();
}

bool Calibration::is_done(int64_t layer) const {
  if (!fs::exists(file_of(layer))) return false;
  const SafetensorsFile file = SafetensorsFile::open(file_of(layer));
  const auto made_of = file.metadata().find(kMadeOf);
  return made_of != file.metadata().end() && made_of->second == fingerprint(layer);
}

void Calibration::run(int64_t layer, WeightFormat format, RowsRecorder& recorder) {
  const ModelConfig config = config_of_layer(config_, layer);
  const ParamTable params(config);
  const Precision as = precision(format);
  LayerSource source(*this, layer, params, format == WeightFormat::Int4);
  Decoder decoder(Placement::on(backend_, 1), config, params, as.kv_type());
  decoder.load_part(0, source, as);  // a row of zeros
  decoder.load_part(2, source, as);
  int64_t longest = 0;
  for (const Rows& request : requests_) longest = std::max(longest, request.count);
  const size_t block_bytes = decoder.kv_shapes().front().block_bytes();
  const Buffer cache = backend_->allocate(static_cast<size_t>(blocks_for(longest)) * block_bytes);
  std::vector<void*> blocks;
  for (int64_t i = 0; i < blocks_for(longest); ++i) {
    blocks.push_back(static_cast<std::byte*>(cache.data()) + static_cast<size_t>(i) * block_bytes);
  }
  const KvTable table(blocks);
  const std::vector<int32_t> ids(kChunkRows);
  const std::atomic<bool> closing{false};
  for (const Rows& request : requests_) {
    const Matrix rows = request.matrix(config.language.hidden);
    recorder.begin(rows);
    for (int64_t past = 0; past < rows.rows; past += kChunkRows) {
      const int64_t count = std::min(kChunkRows, rows.rows - past);
      const Splice features{0, rows.row_range(past, count)};
      const SequenceSpan span{0, count, past, {&table, 1}, rows.rows};
      decoder.forward({std::span(ids).first(static_cast<size_t>(count)), {&features, 1}, {&span, 1}, {}}, &recorder,
                      Cancellation(closing, nullptr));
    }
  }
}

void Calibration::quantize(int64_t layer) {
  const std::string made_of = fingerprint(layer);
  std::error_code error;
  fs::create_directories(work_, error);
  if (!fs::is_directory(work_)) fail(Status::Io, cat(work_.string(), ": cannot make this folder: ", error.message()));
  InputRecorder inputs;
  run(layer, WeightFormat::Plain, inputs);
  const std::vector<const Param*> params = calibrated(layer);
  std::vector<TensorToWrite> tensors;
  for (const Param* param : params) {
    for (TensorToWrite& tensor : int4_format().written(checkpoint_->get(param->name), type_)) tensors.push_back(std::move(tensor));
  }
  SafetensorsWriter writer(file_of(layer), tensors, {{kMadeOf, made_of}});
  std::optional<Gptq> gptq;
  for (const Param* param : params) {
    // Layers with the same inputs stand together.
    if (inputs.has(param->use)) gptq.emplace(*backend_, pool_, inputs.take(param->use), cat("decoder layer ", layer));
    const HostTensor weight = LayerSource::plain(checkpoint_->get(param->name));
    const Int4Weights weights = gptq->weights(weight, type_, row_codec());
    writer.write(weights.rows.values, static_cast<uint64_t>(weights.count * weights.rows.stride()));
    writer.write(weights.rows.scales, static_cast<uint64_t>(weights.count * weights.rows.groups() * kInt4ScaleBytes));
  }
  writer.finish();
}

void Calibration::step() {
  if (requests_.empty()) fail(Status::InvalidArgument, "the calibration has no requests, expected at least one");
  tower_.reset();
  const int64_t layer = done();
  if (layer == total()) return;
  if (!is_done(layer)) quantize(layer);
  layers_.push_back(SafetensorsFile::open(file_of(layer)));
  for (const Param* param : calibrated(layer)) bytes_done_ += checkpoint_->get(param->name).bytes;
  if (done() == total()) {
    requests_.clear();
    return;
  }
  OutputRecorder outputs;
  run(layer, WeightFormat::Int4, outputs);
}

const TensorInfo* Calibration::find(const std::string& name) const {
  for (const SafetensorsFile& layer : layers_) {
    if (const TensorInfo* tensor = layer.find(name); tensor != nullptr) return tensor;
  }
  return nullptr;
}

void Calibration::discard_files() { fs::remove_all(work_); }

}  // namespace ivl
