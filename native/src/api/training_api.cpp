// Training.
#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "api/barrier.h"
#include "api/convert.h"
#include "api/handles.h"
#include "checkpoint/checkpoint.h"
#include "cpu/cpu_backend.h"
#include "host/host_memory.h"
#include "internvl4j/training.h"
#include "model/checkpoint_weights.h"
#include "model/weight_formats.h"
#include "model/weights.h"
#include "train/trained_adapter.h"
#include "train/trained_checkpoint.h"
#include "train/training.h"
#include "train/training_plan.h"

struct ivl_training {
  std::filesystem::path folder;
  std::unique_ptr<ivl::Training> training;
  ivl_training_plan plan;
};

using namespace ivl;
using namespace ivl::api;

namespace {

Learns learns_from(int32_t learns, const char* part, bool pairs) {
  switch (learns) {
    case IVL_LEARNING_NOTHING: return Learns::Nothing;
    case IVL_LEARNING_LORA:
      if (pairs) return Learns::Lora;
      fail(Status::InvalidArgument, cat(part, " is LORA, expected NOTHING or ALL: the original has no pairs there"));
    case IVL_LEARNING_ALL: return Learns::All;
    default: fail(Status::InvalidArgument, cat(part, " is ", learns, ", expected an ivl_learning, 0 to 2"));
  }
}

LoraShape lora_from(int32_t rank, float alpha, const char* part) {
  if (rank < 1) fail(Status::InvalidArgument, cat(part, "_rank is ", rank, ", expected at least 1"));
  if (!(alpha >= 0)) fail(Status::InvalidArgument, cat(part, "_alpha is ", alpha, ", expected at least 0"));
  return {rank, alpha > 0 ? alpha : 2 * static_cast<float>(rank)};
}

Learning learning_from(const ivl_training_options& options) {
  Learning learning;
  learning.decoder = learns_from(options.decoder, "decoder", true);
  learning.vision = learns_from(options.vision, "vision", true);
  learning.projector = learns_from(options.projector, "projector", false);
  if (learning.decoder == Learns::Nothing && !learning.sees()) {
    fail(Status::InvalidArgument, "decoder, vision and projector are NOTHING, expected that one of them learns");
  }
  learning.decoder_lora = lora_from(options.decoder_rank, options.decoder_alpha, "decoder");
  learning.vision_lora = lora_from(options.vision_rank, options.vision_alpha, "vision");
  learning.seed = options.seed;
  return learning;
}

void require_in(double value, double least, double most, const char* field) {
  if (value >= least && value <= most) return;
  fail(Status::InvalidArgument, cat(field, " is ", value, ", expected ", least, " to ", most));
}

BatchLimits limits_from(const ivl_training_options& options, const ModelConfig& config) {
  require_in(options.most_tokens, 0, static_cast<double>(config.language.context), "most_tokens");
  require_in(options.most_samples, 1, 1 << 16, "most_samples");
  require_in(options.most_images, 0, 1 << 16, "most_images");
  constexpr int64_t kUsual = 4096;
  const int64_t tokens = options.most_tokens > 0 ? options.most_tokens : std::min(kUsual, config.language.context);
  return {tokens, options.most_samples, options.most_images};
}

TrainingOptions options_from(const ivl_training_options& options, const Learning& learning, const BatchLimits& limits, bool keeps) {
  require_in(options.beta1, 0, 1, "beta1");
  require_in(options.beta2, 0, 1, "beta2");
  require_in(options.eps, 0, 1, "eps");
  require_in(options.decay, 0, 1, "decay");
  require_in(options.most_norm, 0, 1e30, "most_norm");
  TrainingOptions converted{.learning = learning, .keeps = keeps, .most_tokens = limits.tokens};
  converted.most_norm = options.most_norm;
  converted.optimizer = {.beta1 = options.beta1, .beta2 = options.beta2, .eps = options.eps, .decay = options.decay};
  return converted;
}

// A checkpoint that is about to learn, from the headers of its weights.
struct Opening {
  Opening(const char* directory, const ivl_training_options& options)
      : folder(&given(directory, "directory")),
        checkpoint(std::make_unique<Checkpoint>(Checkpoint::open(folder))),
        config(as_stored(load_config(folder), *checkpoint)),
        learning(learning_from(options)),
        limits(limits_from(options, config)) {
    require_trainable(config);
    require_weights(*checkpoint, config);
    LoadOptions load;
    load.bf16_activations = bf16_activations_from(options.activations);
    const Precision stored = stored_precision(*checkpoint, ParamTable(config));
    if (!load.bf16_activations) load.bf16_activations = precision_for(load, stored).bf16_activations;
    load.precision = *load.bf16_activations ? DType::BF16 : DType::F32;
    precision = precision_for(load, stored);
    if (options.memory_limit < -1)
      fail(Status::InvalidArgument, cat("memory_limit is ", options.memory_limit, ", expected bytes, 0 or -1"));
    available = options.memory_limit > 0 ? options.memory_limit : available_host_memory();
    require_in(options.keep, -1, 1, "keep");
    plan = plan_training(*checkpoint, config, precision, learning, limits, options.keep != 0);
    if (options.keep < 0 && plan.total() > available) plan = plan_training(*checkpoint, config, precision, learning, limits, false);
  }

  ivl_training_plan to_c() const {
    return {plan.weights_mapped,
            plan.weights_owned,
            plan.learning,
            plan.layer_inputs,
            plan.intermediates,
            plan.scratch,
            plan.total(),
            available,
            plan.keeps ? 1 : 0,
            plan.parameters,
            plan.learning_parameters,
            plan.operations_per_token,
            plan.operations_per_picture};
  }

  std::filesystem::path folder;
  std::unique_ptr<Checkpoint> checkpoint;
  ModelConfig config;
  Learning learning;
  BatchLimits limits;
  Precision precision;
  TrainingPlan plan;
  int64_t available = 0;
};

const Parameter& parameter_at(const ivl_training* training, int64_t index) {
  const auto& all = given(training, "training").training->model().parameters().all();
  if (index < 0 || static_cast<size_t>(index) >= all.size()) {
    fail(Status::InvalidArgument, cat("there is no parameter ", index, " of ", all.size()));
  }
  return *all[static_cast<size_t>(index)];
}

void require_count(const Parameter& parameter, int64_t count) {
  if (count == parameter.elements()) return;
  fail(Status::InvalidArgument, cat(parameter.name, ": ", count, " numbers were given, expected ", parameter.elements()));
}

Training& running(ivl_training* training) { return *given(training, "training").training; }

}  // namespace

extern "C" {

void ivl_training_options_init(ivl_training_options* options) {
  if (options == nullptr) return;
  *options = {};
  options->decoder = IVL_LEARNING_LORA;
  options->decoder_rank = options->vision_rank = 16;
  options->activations = IVL_ACTIVATIONS_AUTO;
  options->keep = -1;
  options->most_samples = options->most_images = 1;
  options->beta1 = 0.9;
  options->beta2 = 0.999;
  options->eps = 1e-8;
  options->decay = 0.05;
  options->most_norm = 1;
}

ivl_status ivl_training_plan_for(const char* directory, const ivl_training_options* options, ivl_training_plan* out) {
  return guarded([&] { given(out, "out") = Opening(directory, given(options, "options")).to_c(); });
}

ivl_status ivl_training_open(const char* directory, const ivl_training_options* options, ivl_training** out) {
  return guarded([&] {
    const ivl_training_options& how = given(options, "options");
    Opening opening(directory, how);
    if (how.memory_limit != -1) require_fit(opening.plan, opening.available);
    auto backend = std::make_shared<cpu::CpuBackend>(
        cpu::CpuOptions{.threads = how.threads, .bf16_activations = opening.precision.bf16_activations});
    const TrainingOptions options_of = options_from(how, opening.learning, opening.limits, opening.plan.keeps);
    const ivl_training_plan plan = opening.to_c();
    auto training = std::make_unique<Training>(std::move(backend), std::move(opening.config),
                                               std::make_unique<CheckpointWeights>(std::move(opening.checkpoint)),
                                               opening.precision, options_of);
    hand_over(out, [&] { return new ivl_training{opening.folder, std::move(training), plan}; });
  });
}

ivl_status ivl_training_describe(const ivl_training* training, ivl_training_plan* out) {
  return guarded([&] { given(out, "out") = given(training, "training").plan; });
}

ivl_status ivl_training_encode(ivl_training* training, const float* pixels, int64_t images, float* out, int64_t out_count) {
  return guarded([&] {
    Training& of = running(training);
    const ModelConfig& config = of.model().config();
    if (images < 1) fail(Status::InvalidArgument, cat("the image count is ", images, ", expected at least 1"));
    check_room(out, out_count, images * config.tokens_per_image() * config.language.hidden, "features");
    of.encode(out, &given(pixels, "pixels"), images);
  });
}

ivl_status ivl_training_add(ivl_training* training, const int32_t* tokens, const int32_t* labels, int64_t token_count,
                            int32_t image_token, const float* pixels, const float* features, int64_t images) {
  return guarded([&] {
    if (token_count < 0 || images < 0) fail(Status::InvalidArgument, "the count of tokens or images is below 0");
    if (images > 0 && (pixels == nullptr) == (features == nullptr)) {
      fail(Status::InvalidArgument, "images come as pixels or as features, expected one of the two");
    }
    const auto count = static_cast<size_t>(token_count);
    running(training).add(
        {{&given(tokens, "tokens"), count}, {&given(labels, "labels"), count}, image_token, pixels, features, images});
  });
}

ivl_status ivl_training_learn(ivl_training* training, double weight, double* loss, int64_t* learnt) {
  return guarded([&] {
    given(loss, "loss"), given(learnt, "learnt");
    const Training::Loss of = running(training).learn(weight);
    *loss = of.mean, *learnt = of.learnt;
  });
}

ivl_status ivl_training_loss(ivl_training* training, double* loss, int64_t* learnt) {
  return guarded([&] {
    given(loss, "loss"), given(learnt, "learnt");
    const Training::Loss of = running(training).loss();
    *loss = of.mean, *learnt = of.learnt;
  });
}

ivl_status ivl_training_update(ivl_training* training, double rate, double* norm, double* factor) {
  return guarded([&] {
    given(norm, "norm"), given(factor, "factor");
    require_in(rate, 0, 1, "rate");
    const Training::Update update = running(training).update(rate);
    *norm = update.norm, *factor = update.factor;
  });
}

ivl_status ivl_training_drop(ivl_training* training) {
  return guarded([&] { running(training).drop(); });
}

ivl_status ivl_training_cancel(ivl_training* training) {
  return guarded([&] { running(training).cancel(); });
}

ivl_status ivl_training_parameter(const ivl_training* training, int64_t index, ivl_text** out) {
  return guarded([&] {
    const Parameter& parameter = parameter_at(training, index);
    const nlohmann::json json = {{"name", parameter.name}, {"shape", parameter.shape}};
    hand_over(out, [&] { return new ivl_text{json.dump()}; });
  });
}

ivl_status ivl_training_read(const ivl_training* training, int64_t index, int32_t which, float* out, int64_t count) {
  return guarded([&] {
    const Parameter& parameter = parameter_at(training, index);
    require_count(parameter, count);
    require_in(which, IVL_TRAINING_VALUE, IVL_TRAINING_GRADIENT, "which");
    training->training->read(parameter, which == IVL_TRAINING_VALUE ? Parameter::kValue : Parameter::kGradient, &given(out, "out"));
  });
}

ivl_status ivl_training_write(ivl_training* training, int64_t index, const float* values, int64_t count) {
  return guarded([&] {
    const Parameter& parameter = parameter_at(training, index);
    require_count(parameter, count);
    training->training->write(parameter, &given(values, "values"));
  });
}

ivl_status ivl_training_save(ivl_training* training, const char* file, const char* text) {
  return guarded([&] { running(training).save(&given(file, "file"), &given(text, "text")); });
}

ivl_status ivl_training_saved_text(const char* file, ivl_text** out) {
  return guarded([&] {
    std::string own = Training::saved_text(&given(file, "file"));
    hand_over(out, [&] { return new ivl_text{std::move(own)}; });
  });
}

ivl_status ivl_training_resume(ivl_training* training, const char* file) {
  return guarded([&] { running(training).resume(&given(file, "file")); });
}

ivl_status ivl_training_write_adapter(ivl_training* training, const char* directory) {
  return guarded([&] {
    const std::filesystem::path folder = &given(directory, "directory");
    const std::filesystem::path base = std::filesystem::absolute(given(training, "training").folder).lexically_normal();
    write_adapter(training->training->model(), folder, base.filename().string());
  });
}

ivl_status ivl_training_write_checkpoint(ivl_training* training, const char* directory) {
  return guarded([&] {
    Training& of = running(training);
    TrainedCheckpoint written(training->folder, &given(directory, "directory"), of.model().parameters());
    while (written.done() < written.total()) written.step();
  });
}

void ivl_training_free(ivl_training* training) { delete training; }

}  // extern "C"
