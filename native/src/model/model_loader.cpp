#include "model/model_loader.h"

#include <algorithm>

#include "host/processor.h"
#include "model/checkpoint_weights.h"
#include "model/random_weights.h"
#include "model/weight_formats.h"
#include "model/weights.h"

namespace ivl {
namespace {

// Scaled positions go on behind those that the model was trained for.
int64_t longest_context(const LanguageConfig& language) {
  const double factor = std::max(1.0, language.rope.dynamic_factor);
  return static_cast<int64_t>(static_cast<double>(language.context) * factor);
}

WeightFormat format_for(const char* part, WeightFormat asked, WeightFormat stored) {
  if (stored == WeightFormat::Plain) return asked;
  if (asked == WeightFormat::Plain || asked == stored) return stored;
  fail(Status::InvalidArgument,
       cat("the checkpoint's ", part, " is stored in ", name_of(stored), ", and ", name_of(asked), " was asked for: expected ",
           name_of(stored), " or no such option, or a checkpoint in 16 bits"));
}

// A limit of 0 leaves it to the placer.
void check_limit(const MemoryPlans& plans, const LoadOptions& options) {
  const int64_t limit = options.memory_limit;
  if (limit < -1) fail(Status::InvalidArgument, cat("memory_limit is ", limit, ", expected bytes, 0 or -1"));
  if (limit > 0) plans.require_fit(MemoryPlans::Place::Host, limit);
}

}  // namespace

ModelConfig load_config_for(const std::filesystem::path& path, const LoadOptions& options) {
  ModelConfig config = load_config(path);
  const int64_t most = longest_context(config.language);
  if (options.context < 0 || options.context > most) {
    fail(Status::InvalidArgument, cat("context_length is ", options.context, ", expected 0 to the checkpoint's ", most));
  }
  if (options.context > 0) config.language.context = options.context;
  if (options.max_batch < 0) fail(Status::InvalidArgument, cat("max_batch is ", options.max_batch, ", expected at least 0"));
  return config;
}

Precision precision_for(const LoadOptions& options, const Precision& stored) {
  WeightFormats formats;
  formats.decoder = format_for("decoder", options.formats.decoder, stored.formats.decoder);
  // The head goes along with what is asked of the decoder.
  formats.head = stored.formats.head == WeightFormat::Plain ? options.formats.head : stored.formats.head;
  formats.vision = format_for("vision tower", options.formats.vision, stored.formats.vision);
  const bool quantized = formats.decoder != WeightFormat::Plain || formats.vision != WeightFormat::Plain;
  const DType kept = quantized && stored.type == DType::F32 ? DType::BF16 : stored.type;
  const DType type = options.precision.value_or(kept);
  const bool rounds = options.bf16_activations.value_or(type == DType::BF16 && multiplies_bf16_faster());
  if (rounds && type != DType::BF16) {
    fail(Status::InvalidArgument, cat("bf16 activations go with bf16 weights; the precision is ", name_of(type)));
  }
  return {type, formats, options.kv, rounds, stored.decoder_as_stored};
}

std::unique_ptr<ModelLoader> ModelLoader::open(const Placer& place, const std::filesystem::path& folder,
                                               const LoadOptions& options) {
  ModelConfig config = load_config_for(folder, options);
  Placement placement;
  {
    // Headers first: nothing is read into memory before the plan is known to fit.
    const Checkpoint headers = Checkpoint::open(folder, {Mapping::Map, false, {}});
    config = as_stored(std::move(config), headers);
    require_weights(headers, config);
    const Precision precision = precision_for(options, stored_precision(headers, ParamTable(config)));
    const MemoryPlans plans(&headers, config, precision, options.max_batch, options.map_weights, options.kv_memory);
    check_limit(plans, options);
    placement = place(config, precision, plans);
  }
  const Mapping mapping = options.map_weights ? Mapping::Map : Mapping::Copy;
  auto checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(folder, {mapping, true, {}}));
  require_weights(*checkpoint, config);
  const Precision precision = precision_for(options, stored_precision(*checkpoint, ParamTable(config)));
  const auto bytes = static_cast<int64_t>(checkpoint->total_bytes());
  LoraTensors own = LoraTensors::of_checkpoint(*checkpoint, config, ParamTable(config));
  auto source = std::make_unique<CheckpointWeights>(std::move(checkpoint));
  auto model = std::make_unique<InternVLChat>(std::move(placement), std::move(config), std::move(source), precision);
  std::unique_ptr<ModelLoader> loader(new ModelLoader(std::move(model), bytes));
  loader->own_ = std::move(own);
  return loader;
}

std::unique_ptr<ModelLoader> ModelLoader::random(const Placer& place, const std::filesystem::path& config_file,
                                                 const LoadOptions& options, uint64_t seed) {
  ModelConfig config = load_config_for(config_file, options);
  const Precision precision = precision_for(options, {DType::BF16});
  const MemoryPlans plans(nullptr, config, precision, options.max_batch, false, options.kv_memory);
  check_limit(plans, options);
  Placement placement = place(config, precision, plans);
  const int64_t bytes = plans.at(MemoryPlans::Place::Host).weights_owned;
  auto source = std::make_unique<RandomWeights>(precision.type, seed);
  auto model = std::make_unique<InternVLChat>(std::move(placement), std::move(config), std::move(source), precision);
  return std::unique_ptr<ModelLoader>(new ModelLoader(std::move(model), bytes));
}

void ModelLoader::step() {
  if (done_ == total()) return;
  model_->load_part(done_);
  ++done_;
  if (done_ == total() && !own_.pairs().empty()) model_->set_own_adapter(own_);
}

std::unique_ptr<InternVLChat> ModelLoader::take() {
  if (model_ == nullptr) fail(Status::InvalidArgument, "the loaded model was already taken");
  if (done_ < total()) {
    fail(Status::InvalidArgument, cat("the model is not loaded yet: ", done_, " of ", total(), " parts"));
  }
  return std::move(model_);
}

}  // namespace ivl
