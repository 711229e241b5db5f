#include "train/training_oracle.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "cpu/cpu_backend.h"
#include "model/checkpoint_weights.h"
#include "model/model_loader.h"
#include "model/oracle.h"
#include "model/weights.h"

namespace ivl::testing {
namespace {

namespace fs = std::filesystem;

fs::path oracle_folder() {
  const char* given = std::getenv("IVL_TRAINING_ORACLE");
  return given != nullptr ? fs::path(given) : test_data() / "training";
}

std::vector<float> floats(const TensorInfo& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = load_f32(tensor.data, *tensor.dtype, i);
  return values;
}

double direction(size_t i) { return (static_cast<double>((37 * i) % 101) - 50) / 50; }

}  // namespace

std::vector<std::string> training_cases() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(oracle_folder())) {
    if (fs::exists(entry.path() / "expected.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TrainingOracle::TrainingOracle(const std::string& name)
    : name_(name),
      folder_(oracle_folder() / name),
      expected_(nlohmann::json::parse(std::ifstream(folder_ / "expected.json"))),
      full_(SafetensorsFile::open(folder_ / "full.safetensors")),
      lora_(SafetensorsFile::open(folder_ / "lora.safetensors")),
      pixels_(SafetensorsFile::open(folder_ / "pixel_values.safetensors")) {
  std::ifstream lines(folder_ / "data.jsonl");
  for (std::string line; std::getline(lines, line);) lines_.push_back(nlohmann::json::parse(line));
}

double TrainingOracle::bfloat16_error(const std::string& file, const std::string& name) const {
  return expected_.at("tensors").at(file).at(name).at("bfloat16_relative_error").get<double>();
}

std::unique_ptr<Training> TrainingOracle::open(const TrainingOptions& options, int threads, bool bf16) const {
  auto checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(test_data() / name_));
  ModelConfig config = as_stored(load_config(test_data() / name_), *checkpoint);
  const Precision precision{bf16 ? DType::BF16 : DType::F32, {}, {}, bf16};
  auto backend = std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads, .bf16_activations = bf16});
  return std::make_unique<Training>(std::move(backend), config, std::make_unique<CheckpointWeights>(std::move(checkpoint)),
                                    precision, options);
}

// Pictures that several samples have are stored once: of `image`, `image-last` and `two-images`.
std::vector<float> TrainingOracle::pixels_of(size_t line) const {
  std::vector<float> pixels;
  for (const std::string& picture : pictures_of(line)) {
    for (size_t other = 0; other < lines_.size(); ++other) {
      const TensorInfo* stored = pixels_.find(expected_.at("samples")[other].at("name").get<std::string>());
      const std::vector<std::string> pictures = pictures_of(other);
      const auto found = std::find(pictures.begin(), pictures.end(), picture);
      if (stored == nullptr || found == pictures.end()) continue;
      const std::vector<float> all = floats(*stored);
      const size_t size = all.size() / pictures.size();
      const auto begin = all.begin() + (found - pictures.begin()) * static_cast<std::ptrdiff_t>(size);
      pixels.insert(pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
      break;
    }
  }
  return pixels;
}

std::vector<std::string> TrainingOracle::pictures_of(size_t line) const {
  const nlohmann::json image = lines_.at(line).value("image", nlohmann::json::array());
  if (image.is_string()) return {image.get<std::string>()};
  return image.get<std::vector<std::string>>();
}

size_t TrainingOracle::line_of(const std::string& sample) const {
  const nlohmann::json& samples = expected_.at("samples");
  for (size_t line = 0; line < samples.size(); ++line) {
    if (samples[line].at("name") == sample) return line;
  }
  fail(Status::Internal, sample + ": there is no such sample");
}

void TrainingOracle::add_with(Training& training, const std::string& sample, bool encoded) const {
  const size_t line = line_of(sample);
  const nlohmann::json& from = expected_["samples"][line];
  const auto tokens = from.at("input_ids").get<std::vector<int32_t>>(), labels = from.at("labels").get<std::vector<int32_t>>();
  int64_t pictures = 0;
  for (const nlohmann::json& flag : from.at("image_flags")) pictures += flag.get<int>();
  const std::vector<float> pixels = pictures > 0 ? pixels_of(line) : std::vector<float>{};
  std::vector<float> features;
  if (encoded) {
    const ModelConfig& config = training.model().config();
    features.resize(static_cast<size_t>(pictures * config.tokens_per_image() * config.language.hidden));
    training.encode(features.data(), pixels.data(), pictures);
  }
  training.add({tokens, labels, expected_.at("image_context_id").get<int32_t>(), encoded ? nullptr : pixels.data(),
                encoded ? features.data() : nullptr, pictures});
}

void TrainingOracle::add(Training& training, const std::string& sample) const { add_with(training, sample, false); }

void TrainingOracle::add_encoded(Training& training, const std::string& sample) const { add_with(training, sample, true); }

bool TrainingOracle::has(const std::string& file, const std::string& name) const {
  return file_of(file).find(name) != nullptr || file_of(file).find(name + "#rows") != nullptr;
}

TrainingOracle::Projections TrainingOracle::projections(const std::string& file, const std::string& name,
                                                        const std::vector<int64_t>& shape, const std::vector<float>& actual) const {
  const SafetensorsFile& from = file_of(file);
  const auto all = static_cast<int64_t>(actual.size());
  const auto rows = static_cast<size_t>(shape[0] == 1 ? all / shape.back() : shape[0]), cols = actual.size() / rows;
  const std::vector<float> by_rows = floats(*from.find(name + "#rows")), by_cols = floats(*from.find(name + "#cols"));
  std::vector<double> sums(cols);
  Projections distances;
  for (size_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (size_t c = 0; c < cols; ++c) {
      sum += static_cast<double>(actual[r * cols + c]) * direction(c);
      sums[c] += direction(r) * static_cast<double>(actual[r * cols + c]);
    }
    distances.rows.add(sum, static_cast<double>(by_rows[r]));
  }
  for (size_t c = 0; c < cols; ++c) distances.cols.add(sums[c], static_cast<double>(by_cols[c]));
  for (size_t c = 0; c < cols; ++c) distances.rows.direction += direction(c) * direction(c) / static_cast<double>(cols);
  for (size_t r = 0; r < rows; ++r) distances.cols.direction += direction(r) * direction(r) / static_cast<double>(rows);
  return distances;
}

double TrainingOracle::error(const std::string& file, const std::string& name, const std::vector<int64_t>& shape,
                             const std::vector<float>& actual) const {
  Distance distance;
  if (const TensorInfo* whole = file_of(file).find(name); whole != nullptr) {
    const std::vector<float> expected = floats(*whole);
    for (size_t i = 0; i < expected.size(); ++i) distance.add(static_cast<double>(actual.at(i)), static_cast<double>(expected[i]));
    return distance.relative();
  }
  const Projections of = projections(file, name, shape, actual);
  return std::max(of.rows.relative(), of.cols.relative());
}

double TrainingOracle::error_of_norm(const std::string& file, const std::string& name, const std::vector<int64_t>& shape,
                                     const std::vector<float>& actual) const {
  if (file_of(file).find(name) != nullptr) return error(file, name, shape, actual);
  const Projections of = projections(file, name, shape, actual);
  // An error that goes in no direction more than in another is seen in each by that direction's length.
  const double squares = (of.rows.difference / of.rows.direction + of.cols.difference / of.cols.direction) / 2;
  return std::sqrt(squares) / expected_.at("tensors").at(file).at(name).at("norm").get<double>();
}

std::vector<float> TrainingOracle::start(const std::string& name) const { return floats(*lora_.find("start/" + name)); }

}  // namespace ivl::testing
