#include "model/model_loader.h"

#include <array>

#include "checkpoint/weights.h"
#include "model/checkpoint_weights.h"
#include "model/random_weights.h"

namespace ivl {
namespace {

// 0 leaves it to the placer.
void check_limit(const MemoryPlan& plan, int64_t limit) {
  if (limit < -1) fail(Status::InvalidArgument, cat("memory_limit is ", limit, ", expected bytes, 0 or -1"));
  if (limit > 0) require_fit(plan, limit);
}

}  // namespace

ModelConfig load_config_for(const std::filesystem::path& path, const LoadOptions& options) {
  ModelConfig config = load_config(path);
  if (options.context < 0 || options.context > config.language.context) {
    fail(Status::InvalidArgument, cat("context_length is ", options.context, ", expected 0 to the checkpoint's ",
                                      config.language.context));
  }
  if (options.context > 0) config.language.context = options.context;
  return config;
}

DType stored_type(const Checkpoint& checkpoint, const ModelConfig& config) {
  std::array<uint64_t, 3> bytes{};
  for (const WeightSpec& spec : expected_weights(config)) {
    const TensorInfo* info = checkpoint.find(spec.name);
    if (info != nullptr && info->dtype) bytes[static_cast<size_t>(*info->dtype)] += info->bytes;
  }
  DType most = DType::F32;
  for (const DType type : {DType::BF16, DType::F16}) {
    if (bytes[static_cast<size_t>(type)] > bytes[static_cast<size_t>(most)]) most = type;
  }
  return most;
}

std::unique_ptr<ModelLoader> ModelLoader::open(const Placer& place, const std::filesystem::path& folder,
                                               const LoadOptions& options) {
  ModelConfig config = load_config_for(folder, options);
  Placement placement;
  {
    // Headers first: nothing is read into memory before the plan is known to fit.
    const Checkpoint headers = Checkpoint::open(folder, {Mapping::Map, false, {}});
    require_weights(headers, config);
    const DType type = options.precision.value_or(stored_type(headers, config));
    const MemoryPlan plan = plan_memory(headers, config, type, options.map_weights);
    check_limit(plan, options.memory_limit);
    placement = place(config, type, plan);
  }
  const Mapping mapping = options.map_weights ? Mapping::Map : Mapping::Copy;
  auto checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(folder, {mapping, true, {}}));
  require_weights(*checkpoint, config);
  const DType type = options.precision.value_or(stored_type(*checkpoint, config));
  const auto bytes = static_cast<int64_t>(checkpoint->total_bytes());
  auto source = std::make_unique<CheckpointWeights>(std::move(checkpoint));
  auto model = std::make_unique<InternVLChat>(std::move(placement), std::move(config), std::move(source), type);
  return std::unique_ptr<ModelLoader>(new ModelLoader(std::move(model), bytes));
}

std::unique_ptr<ModelLoader> ModelLoader::random(const Placer& place,
                                                 const std::filesystem::path& config_file, const LoadOptions& options,
                                                 uint64_t seed) {
  ModelConfig config = load_config_for(config_file, options);
  const DType type = options.precision.value_or(DType::BF16);
  const MemoryPlan plan = plan_memory(config, type);
  check_limit(plan, options.memory_limit);
  Placement placement = place(config, type, plan);
  auto source = std::make_unique<RandomWeights>(config, type, seed);
  auto model = std::make_unique<InternVLChat>(std::move(placement), std::move(config), std::move(source), type);
  return std::unique_ptr<ModelLoader>(new ModelLoader(std::move(model), plan.weights_owned));
}

void ModelLoader::step() {
  if (done_ == total()) return;
  model_->load_part(done_);
  ++done_;
}

std::unique_ptr<InternVLChat> ModelLoader::take() {
  if (model_ == nullptr) fail(Status::InvalidArgument, "the loaded model was already taken");
  if (done_ < total()) {
    fail(Status::InvalidArgument, cat("the model is not loaded yet: ", done_, " of ", total(), " parts"));
  }
  return std::move(model_);
}

}  // namespace ivl
