#include "train/training_plan.h"

#include <algorithm>

#include "model/intern_vit.h"
#include "model/internvl_chat.h"
#include "model/memory_plan.h"
#include "model/rope.h"
#include "model/work.h"
#include "train/parameters.h"
#include "train/trained_block.h"
#include "train/trained_head.h"
#include "train/trained_layer.h"

namespace ivl {
namespace {

constexpr int64_t kFloat = sizeof(float);

// The widest rows that a product has on one of its sides.
int64_t widest(const LanguageConfig& language) { return std::max(2 * language.mlp, language.hidden); }

bool tower_learns(const Learning& learning) { return learning.vision != Learns::Nothing; }

struct Rows {
  int64_t decoder, vision, features;
};

Rows rows_of(const ModelConfig& config, const Learning& learning, const BatchLimits& limits) {
  const int64_t together = std::min(limits.pictures, InternVLChat::pictures_together(config));
  const int64_t pictures = learning.sees() ? limits.pictures : together;
  return {limits.tokens * limits.samples, pictures * config.vision_tokens(), pictures * config.tokens_per_image()};
}

int64_t layer_inputs(const ModelConfig& config, const Learning& learning, const Rows& rows) {
  const int64_t decoder = rows.decoder * config.language.hidden * (config.language.layers + 2);
  const int64_t blocks = tower_learns(learning) ? config.vision_layers_used() + 2 : 0;
  return kFloat * (decoder + rows.vision * config.vision.hidden * blocks + 2 * rows.features * config.language.hidden);
}

int64_t intermediates(const ModelConfig& config, const Learning& learning, const Rows& rows, bool keeps) {
  const int64_t layers = keeps ? config.language.layers : 1, blocks = keeps ? config.vision_layers_used() : 1;
  const int64_t tower = tower_learns(learning)
                            ? blocks * rows.vision * TrainedBlock::tape_numbers(config.vision)
                            : InternVit::workspace_bytes(config, rows.vision / config.vision_tokens(), DType::F32) / kFloat;
  const int64_t projector = 2 * config.projector_in() + 2 * config.language.hidden;
  return kFloat * (layers * rows.decoder * TrainedLayer::tape_numbers(config.language) + tower + rows.features * projector);
}

int64_t scratch(const ModelConfig& config, const Learning& learning, const Rows& rows) {
  const LanguageConfig& language = config.language;
  const int64_t decoder = rows.decoder * TrainedLayer::scratch_numbers(language);
  const int64_t vision = tower_learns(learning) ? rows.vision * TrainedBlock::scratch_numbers(config.vision) : 0;
  const int64_t heads = 2 * rows.decoder * language.heads * language.head_dim;
  const int64_t transposed = rows.decoder * 2 * widest(language);
  const int64_t rope = rope_rows(language.rope, language.context) * language.head_dim;
  const int64_t pixels = rows.vision / config.vision_tokens() * config.vision.channels * config.image_size * config.image_size;
  return kFloat * (decoder + vision + heads + transposed + rope + 3 * pixels + TrainedHead::scratch_numbers(language)) +
         Gradients::kMostCopied;
}

// Weights that learn are kept as parameters; where products multiply in 16 bits there is a copy in those, too.
void take_out_what_learns(TrainingPlan& plan, const ParamTable& params, const Learning& learning, const Checkpoint& checkpoint,
                          const Precision& precision) {
  for (const Param& param : params.all()) {
    if (param.again || learning.of(param.part) != Learns::All) continue;
    const bool wide = param.role == Role::Linear || param.role == Role::Table;
    const auto bytes = static_cast<int64_t>(checkpoint.get(param.name).bytes);
    if (!wide) continue;
    if (precision.type == DType::F32 || precision.type == checkpoint.get(param.name).dtype) plan.weights_mapped -= bytes;
    if (precision.type != DType::F32) plan.weights_owned += param.elements() * static_cast<int64_t>(size_of(precision.type));
  }
}

}  // namespace

void require_trainable(const ModelConfig& config) {
  if (config.language.experts.count > 0) {
    fail(Status::Unsupported, "the decoder has experts, expected one without: training such is not implemented");
  }
  if (config.lora.vision > 0 || config.lora.language > 0) {
    fail(Status::Unsupported, "the checkpoint has pairs beside its layers, expected one without: merge them first (merge)");
  }
}

TrainingPlan plan_training(const Checkpoint& checkpoint, const ModelConfig& config, const Precision& precision,
                           const Learning& learning, const BatchLimits& limits, bool keeps) {
  const ParamTable params(config);
  const MemoryPlan loaded = plan_memory(checkpoint, config, precision, true);
  const Rows rows = rows_of(config, learning, limits);
  TrainingPlan plan;
  plan.weights_mapped = loaded.weights_mapped;
  plan.weights_owned = loaded.weights_owned;
  take_out_what_learns(plan, params, learning, checkpoint, precision);
  for (const Param& param : params.all()) plan.parameters += param.again ? 0 : param.elements();
  plan.learning_parameters = Parameters::count(config, params, learning);
  plan.learning = Parameters::bytes(plan.learning_parameters);
  plan.layer_inputs = layer_inputs(config, learning, rows);
  plan.intermediates = intermediates(config, learning, rows, keeps);
  plan.scratch = scratch(config, learning, rows);
  plan.keeps = keeps;
  // There once, back once for the input and, where the weights learn, once for them; once more where what happened is computed again.
  const Work work = count_work(config, 2, KvType::F32);
  const auto passes = [&](Learns learns) { return (learns == Learns::All ? 3 : 2) + (keeps ? 0 : 1); };
  plan.operations_per_token = (work.operations_per_token + work.head_operations) * passes(learning.decoder);
  const Learns seeing = std::max(learning.vision, learning.projector);
  plan.operations_per_picture = work.vision_operations * (learning.vision == Learns::Nothing ? 1 : passes(seeing));
  return plan;
}

void require_fit(const TrainingPlan& plan, int64_t limit) {
  if (plan.total() <= limit) return;
  const auto mib = [](int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; };
  fail(Status::OutOfMemory,
       cat("training needs ", mib(plan.total()), " MiB, and ", mib(limit), " are available: weights ",
           mib(plan.weights_mapped + plan.weights_owned), ", what learns ", mib(plan.learning), ", layers' inputs ",
           mib(plan.layer_inputs), ", what happens within layers ", mib(plan.intermediates), ", scratch ", mib(plan.scratch),
           "; less is needed with fewer tokens or samples in a micro-batch, with a lower rank, or if less learns"));
}

}  // namespace ivl
