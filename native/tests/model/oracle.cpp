#include "model/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace ivl::testing {
namespace {

const TensorInfo& find(const SafetensorsFile& file, const std::string& name) {
  const TensorInfo* info = file.find(name);
  if (info == nullptr) throw std::out_of_range(name);
  return *info;
}

std::vector<float> values(const TensorInfo& info) {
  std::vector<float> out(static_cast<size_t>(info.elements()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = load_f32(info.data, *info.dtype, i);
  return out;
}

// A picture's values (tiles, 3, S, S), or its bytes, each of which stands for one of its channel's levels (3, 256).
std::vector<float> picture(const SafetensorsFile& file, const std::string& name) {
  const TensorInfo& info = find(file, name);
  if (info.dtype_name != "U8") return values(info);
  const std::vector<float> levels = values(find(file, "levels"));
  const auto plane = static_cast<size_t>(info.shape[2] * info.shape[3]);
  const auto* bytes = static_cast<const uint8_t*>(static_cast<const void*>(info.data));
  std::vector<float> out(static_cast<size_t>(info.elements()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = levels[i / plane % 3 * 256 + bytes[i]];
  return out;
}

}  // namespace

std::filesystem::path test_data() {
  const char* set = std::getenv("IVL_TEST_DATA");
  return set != nullptr ? set : IVL_TEST_DATA;
}

std::string test_name(std::string oracle) {
  std::replace(oracle.begin(), oracle.end(), '-', '_');
  return oracle;
}

Placer always(std::shared_ptr<Backend> backend) {
  return [backend = std::move(backend)](const ModelConfig& config, const Precision&, const MemoryPlan&) {
    return Placement::on(backend, config.language.layers);
  };
}

Oracle::Oracle(const std::string& name)
    : folder_(test_data() / name),
      pixels_(SafetensorsFile::open(folder_ / "pixel_values.safetensors")),
      activations_(SafetensorsFile::open(folder_ / "activations.safetensors")) {
  std::ifstream file(folder_ / "expected.json");
  const nlohmann::json expected = nlohmann::json::parse(file);
  image_token_ = expected.at("image_context_id");
  stop_token_ = expected.at("stop_id");
  for (const auto& d : expected.at("dialogs")) {
    dialogs_.push_back({d.at("name"), d.at("images"), d.value("max_tiles", 0) == 1, d.at("input_ids"), d.at("greedy_tokens"),
                        d.at("bfloat16_relative_error").get<std::map<std::string, double>>(),
                        d.value("experts", decltype(Dialog::experts)())});
  }
}

const Dialog& Oracle::dialog(const std::string& name) const {
  for (const Dialog& d : dialogs_) {
    if (d.name == name) return d;
  }
  throw std::out_of_range(name);
}

std::vector<float> Oracle::pixels(const Dialog& dialog) const {
  std::vector<float> all;
  for (const std::string& image : dialog.images) {
    const std::vector<float> tiles = picture(pixels_, image);
    const auto of_tile = static_cast<std::ptrdiff_t>(tiles.size() / static_cast<size_t>(pixels_.find(image)->shape[0]));
    all.insert(all.end(), dialog.squares ? tiles.end() - of_tile : tiles.begin(), tiles.end());
  }
  return all;
}

std::vector<float> Oracle::greedy_logits(const Dialog& dialog) const {
  return values(find(activations_, dialog.name + "/greedy_logits"));
}

double Oracle::activation_error(const std::string& name, const std::vector<float>& actual) const {
  const TensorInfo& info = find(activations_, name);
  const auto columns = static_cast<size_t>(info.shape.back());
  const size_t kept = static_cast<size_t>(info.elements()) / columns;
  const size_t rows = actual.size() / columns;
  if (actual.size() % columns != 0 || rows < kept) throw std::length_error(name);
  std::vector<float> same_rows;
  for (size_t i = 0; i < kept; ++i) {
    const auto row = actual.begin() + static_cast<std::ptrdiff_t>(i * (rows - 1) / std::max<size_t>(kept - 1, 1) * columns);
    same_rows.insert(same_rows.end(), row, row + static_cast<std::ptrdiff_t>(columns));
  }
  return relative_error(same_rows, values(info));
}

std::shared_ptr<Engine> Oracle::load(std::shared_ptr<Backend> backend, DType precision) const {
  return load(always(std::move(backend)), precision);
}

std::shared_ptr<Engine> Oracle::load(const Placer& placer, DType precision) const {
  LoadOptions options;
  options.precision = precision;
  return load(placer, options);
}

std::shared_ptr<Engine> Oracle::load_int8(std::shared_ptr<Backend> backend, bool vision) const {
  LoadOptions options;
  options.formats.decoder = options.formats.head = WeightFormat::Int8;
  options.formats.vision = vision ? WeightFormat::Int8 : WeightFormat::Plain;
  return load(always(std::move(backend)), options);
}

std::shared_ptr<Engine> Oracle::load(const Placer& placer, const LoadOptions& options) const {
  auto loader = ModelLoader::open(placer, folder_, options);
  while (loader->done() < loader->total()) loader->step();
  return std::make_shared<Engine>(loader->take());
}

Prompt Oracle::prompt(Engine& engine, const Dialog& dialog, Recorder* recorder) const {
  Prompt prompt{dialog.input_ids, image_token_, {}, {stop_token_}};
  if (!dialog.images.empty()) {
    const std::vector<float> values = pixels(dialog);
    const ModelConfig& config = engine.config();
    const auto count = static_cast<int64_t>(values.size()) / (config.vision.channels * config.image_size * config.image_size);
    prompt.features.push_back(engine.encode(values.data(), count, nullptr, recorder));
  }
  return prompt;
}

const Oracle& hermes() {
  static const Oracle loaded("hermes-d128");
  return loaded;
}

Sampling greedy(size_t tokens) {
  Sampling sampling;
  sampling.max_new_tokens = static_cast<int32_t>(tokens);
  return sampling;
}

Requests::Requests(const std::shared_ptr<Engine>& engine, SchedulerOptions options)
    : engine_(engine), scheduler_(engine, [&] {
        if (options.kv_blocks == 0) options.kv_blocks = engine->kv_blocks();
        return options;
      }()) {}

int64_t Requests::add(Prompt prompt, const Sampling& sampling, RequestOptions options) {
  options.sampling = sampling;
  options.logits = true;
  auto request = std::make_unique<Request>(*engine_, std::move(prompt), std::move(options));
  const auto id = static_cast<int64_t>(answers_.size());
  scheduler_.add(id, std::move(request));
  answers_.emplace_back();
  return id;
}

std::vector<Event> Requests::turn(const std::atomic<bool>* abort) {
  std::vector<Event> events = scheduler_.turn(abort);
  for (const Event& event : events) {
    Answer& answer = answers_.at(static_cast<size_t>(event.request));
    answer.finish = event.finish;
    answer.failure = event.failure;
    answer.reused = event.reused;
    if (event.token < 0) continue;
    answer.tokens.push_back(event.token);
    answer.logits.push_back(event.logits);
    answer.top.push_back(event.top);
  }
  return events;
}

void Requests::run() {
  while (!scheduler_.idle()) turn();
}

Answer Requests::answer(Prompt prompt, const Sampling& sampling, RequestOptions options) {
  const int64_t request = add(std::move(prompt), sampling, std::move(options));
  run();
  if (of(request).failure) throw Error(*of(request).failure);
  return of(request);
}

Answer answer(const std::shared_ptr<Engine>& engine, Prompt prompt, const Sampling& sampling, RequestOptions options) {
  return Requests(engine).answer(std::move(prompt), sampling, std::move(options));
}

double relative_error(const std::vector<float>& actual, const std::vector<float>& expected) {
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double d = static_cast<double>(actual[i]) - static_cast<double>(expected[i]);
    difference += d * d;
    norm += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  return std::sqrt(difference / norm);
}

double logits_error(const Oracle& oracle, const std::shared_ptr<Engine>& engine, const Dialog& dialog) {
  const std::vector<float> logits = answer(engine, oracle.prompt(*engine, dialog), greedy(1)).logits.at(0);
  std::vector<float> expected = oracle.greedy_logits(dialog);
  expected.resize(logits.size());
  return relative_error(logits, expected);
}

void expect_activations(const Oracle& oracle, const std::shared_ptr<Engine>& engine, DType precision) {
  const Dialog& dialog = oracle.dialog("images-separate.0");
  auto recording = std::make_shared<Recording>();
  Prompt prompt = oracle.prompt(*engine, dialog, recording.get());
  Requests requests(engine);
  requests.add(std::move(prompt), greedy(1), {.recording = recording});
  requests.run();
  EXPECT_EQ(recording->entries().size(), dialog.bfloat16_error.size());
  for (const Recording::Entry& entry : recording->entries()) {
    const double bound = precision == DType::F32 ? 1e-4 : 2 * dialog.bfloat16_error.at(entry.name) + 1e-3;
    EXPECT_LE(oracle.activation_error(dialog.name + "/" + entry.name, entry.values), bound) << entry.name;
  }
}

}  // namespace ivl::testing
