// Loading, the model itself, pictures and recorded activations.
#include <algorithm>
#include <cmath>
#include <mutex>

#include "api/adapters.h"
#include "api/barrier.h"
#include "api/convert.h"
#include "api/device_choice.h"
#include "api/handles.h"
#include "model/work.h"

using namespace ivl;
using namespace ivl::api;

namespace {

Placer placer(const ivl_load_options& options) {
  const DeviceChoice choice = device_from(options);
  const cpu::CpuOptions cpu{.threads = options.threads, .affinity = affinity_from(options)};
  return
      [choice, cpu, limit = options.memory_limit](const ModelConfig& config, const Precision& precision, const MemoryPlans& plans) {
        return place(choice, cpu, limit, config, precision, plans);
      };
}

void check_pixels(const float* pixels, int64_t size, int64_t count, const ModelConfig& config) {
  given(pixels, "pixels");
  if (count < 1) fail(Status::InvalidArgument, cat("the image count is ", count, ", expected at least 1"));
  const int64_t each = config.vision.channels * config.image_size * config.image_size;
  if (size % each != 0 || size / each != count) {
    fail(Status::InvalidArgument, cat(count, " images come with ", size, " pixel values, expected ", each, " for each (",
                                      config.vision.channels, " x ", config.image_size, " x ", config.image_size, ")"));
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  const float* bad = std::find_if_not(pixels, pixels + size, finite);
  if (bad != pixels + size) fail(Status::InvalidArgument, cat("pixel value ", bad - pixels, " is not finite"));
}

const Recording::Entry& recorded(const ivl_recording* recording, int64_t index) {
  const std::vector<Recording::Entry>& entries = given(recording, "recording").recording->entries();
  if (index < 0 || static_cast<size_t>(index) >= entries.size()) {
    fail(Status::InvalidArgument, cat("there is no recorded activation ", index, " of ", entries.size()));
  }
  return entries[static_cast<size_t>(index)];
}

}  // namespace

extern "C" {

ivl_status ivl_load_begin(const char* directory, const ivl_load_options* options, ivl_load** out) {
  return guarded([&] {
    const std::filesystem::path folder = &given(directory, "directory");
    const ivl_load_options& how = given(options, "options");
    auto loader = ModelLoader::open(placer(how), folder, load_options_from(how));
    hand_over(out, [&] { return new ivl_load{std::move(loader)}; });
  });
}

ivl_status ivl_load_begin_random(const char* config_file, const ivl_load_options* options, uint64_t seed, ivl_load** out) {
  return guarded([&] {
    const std::filesystem::path path = &given(config_file, "config_file");
    const ivl_load_options& how = given(options, "options");
    auto loader = ModelLoader::random(placer(how), path, load_options_from(how), seed);
    hand_over(out, [&] { return new ivl_load{std::move(loader)}; });
  });
}

ivl_status ivl_load_step(ivl_load* load, ivl_load_progress* out) {
  return guarded([&] {
    ModelLoader& loader = *given(load, "load").loader;
    loader.step();
    const double share = static_cast<double>(loader.done()) / static_cast<double>(std::max<int64_t>(1, loader.total()));
    given(out, "out") = {loader.done(), loader.total(), static_cast<int64_t>(share * static_cast<double>(loader.bytes())),
                         loader.bytes()};
  });
}

ivl_status ivl_load_finish(ivl_load* load, ivl_model** out) {
  return guarded([&] {
    ivl_model*& place = given(out, "out");
    std::unique_ptr<InternVLChat> model = given(load, "load").loader->take();
    const int64_t parameters = count_parameters(model->config());
    const DType stored = model->config().dtype.value_or(model->precision().type);
    auto engine = std::make_shared<Engine>(std::move(model));
    ServiceOptions options;
    options.kv_blocks = engine->kv_blocks();
    auto requests = std::make_unique<RequestService>(engine, options);
    place = new ivl_model{std::move(engine), std::move(requests), parameters, stored};
  });
}

void ivl_load_free(ivl_load* load) { delete load; }

ivl_status ivl_model_set_draft(ivl_model* model, ivl_model* draft) {
  return guarded([&] {
    static std::mutex pairing;
    ivl_model& owner = given(model, "model");
    ivl_model& other = given(draft, "draft");
    const std::lock_guard<std::mutex> lock(pairing);
    if (owner.in_pair) fail(Status::InvalidArgument, "the model has a draft or is one already");
    if (other.in_pair) fail(Status::InvalidArgument, "the draft has a draft or is one already");
    owner.requests->set_draft(other.engine);
    owner.in_pair = other.in_pair = true;
  });
}

ivl_status ivl_model_describe(const ivl_model* model, ivl_model_info* out) {
  return guarded([&] {
    const Engine& engine = *given(model, "model").engine;
    describe(engine.config(), given(out, "out"));
    out->precision = precision_to(engine.precision());
    out->kv_cache = kv_cache_to(engine.precision().kv_type());
    out->activations = engine.precision().bf16_activations ? IVL_ACTIVATIONS_BF16 : IVL_ACTIVATIONS_F32;
    out->stored = precision_to(model->stored);
  });
}

ivl_status ivl_model_texts(const ivl_model* model, ivl_text** out) {
  return guarded([&] {
    const Engine& engine = *given(model, "model").engine;
    hand_over(out, [&] { return new ivl_text{texts_of(engine.config())}; });
  });
}

ivl_status ivl_model_backend(const ivl_model* model, ivl_text** out) {
  return guarded([&] {
    const Engine& engine = *given(model, "model").engine;
    hand_over(out, [&] { return new ivl_text{engine.description()}; });
  });
}

ivl_status ivl_model_work(const ivl_model* model, ivl_work* out) {
  return guarded([&] {
    const Engine& engine = *given(model, "model").engine;
    const DType type = engine.precision().type;
    const DType weights = type == DType::F32 ? model->stored : type;  // F32 keeps what is stored
    constexpr int64_t kMany = 1 << 16;
    const double weight_bytes =
        static_cast<double>(ivl::weight_bytes(engine.precision().formats.decoder, weights, 1, kMany)) / kMany;
    const Work work = count_work(engine.config(), weight_bytes, engine.precision().kv_type());
    given(out, "out") = {work.vision_operations, work.operations_per_token, work.attention_operations_per_key,
                         work.head_operations,   work.weight_bytes,         work.kv_bytes_per_key};
  });
}

ivl_status ivl_model_close(ivl_model* model) {
  return guarded([&] {
    given(model, "model").requests->close();
    model->engine->close();
  });
}

void ivl_model_free(ivl_model* model) {
  if (model == nullptr) return;
  ivl_model_close(model);
  delete model;
}

ivl_status ivl_recording_create(ivl_recording** out) {
  return guarded([&] { hand_over(out, [&] { return new ivl_recording{std::make_shared<Recording>()}; }); });
}

int64_t ivl_recording_count(const ivl_recording* recording) {
  return recording == nullptr ? 0 : static_cast<int64_t>(recording->recording->entries().size());
}

const char* ivl_recording_name(const ivl_recording* recording, int64_t index) {
  if (index < 0 || index >= ivl_recording_count(recording)) return "";
  return recording->recording->entries()[static_cast<size_t>(index)].name.c_str();
}

ivl_status ivl_recording_shape(const ivl_recording* recording, int64_t index, int64_t* out, int64_t capacity) {
  return guarded([&] {
    const auto& dims = recorded(recording, index).shape;
    check_room(out, capacity, static_cast<int64_t>(dims.size()), "shape");
    std::copy(dims.begin(), dims.end(), out);
  });
}

ivl_status ivl_recording_copy(const ivl_recording* recording, int64_t index, float* out, int64_t capacity) {
  return guarded([&] {
    const std::vector<float>& values = recorded(recording, index).values;
    check_room(out, capacity, static_cast<int64_t>(values.size()), "activation");
    std::copy(values.begin(), values.end(), out);
  });
}

void ivl_recording_free(ivl_recording* recording) { delete recording; }

ivl_status ivl_encode(ivl_model* model, const float* pixels, int64_t pixel_count, int64_t count, const ivl_adapters* adapters,
                      const ivl_cancellation* cancellation, ivl_recording* recording, ivl_features** out) {
  return guarded([&] {
    Engine& engine = *given(model, "model").engine;
    given(out, "out");
    check_pixels(pixels, pixel_count, count, engine.config());
    Recording* recorder = recording == nullptr ? nullptr : recording->recording.get();
    if (recorder != nullptr) engine.claim(*recorder);
    const std::atomic<bool>* cancelled = cancellation == nullptr ? nullptr : cancellation->flag.get();
    *out = new ivl_features{engine.encode(pixels, count, cancelled, recorder, {choices_of(adapters), engine})};
  });
}

ivl_status ivl_features_create(ivl_model* model, const float* pixels, int64_t pixel_count, int64_t count, const char* content,
                               int64_t content_bytes, const ivl_adapters* adapters, ivl_features** out) {
  return guarded([&] {
    const Engine& engine = *given(model, "model").engine;
    given(out, "out");
    check_pixels(pixels, pixel_count, count, engine.config());
    if (content_bytes < 0) fail(Status::InvalidArgument, cat("content_bytes is ", content_bytes));
    const std::string key = content_bytes == 0 ? "" : std::string(&given(content, "content"), static_cast<size_t>(content_bytes));
    const AdapterChoices chosen(choices_of(adapters), engine);
    *out = new ivl_features{model->requests->features(key, {pixels, pixels + pixel_count}, count, chosen)};
  });
}

int64_t ivl_features_rows(const ivl_features* features) { return features == nullptr ? 0 : features->features->rows(); }

ivl_status ivl_features_copy(const ivl_features* features, float* out, int64_t capacity) {
  return guarded([&] {
    const Features& copied = *given(features, "features").features;
    check_room(out, capacity, copied.rows() * copied.width(), "features");
    copied.copy_to(out);
  });
}

void ivl_features_free(ivl_features* features) { delete features; }

}  // extern "C"
