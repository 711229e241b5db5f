#include "train/training_oracle.h"

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

fs::path folder_of(const std::string& name) {
  const char* given = std::getenv("IVL_TRAINING_ORACLE");
  return (given != nullptr ? fs::path(given) : test_data() / "training") / name;
}

std::vector<float> floats(const TensorInfo& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = load_f32(tensor.data, *tensor.dtype, i);
  return values;
}

double direction(size_t i) { return (static_cast<double>((37 * i) % 101) - 50) / 50; }

struct Distance {
  double difference = 0, size = 0;
  void add(double actual, double expected) {
    difference += (actual - expected) * (actual - expected);
    size += expected * expected;
  }
  double relative() const { return std::sqrt(difference / size); }
};

}  // namespace

TrainingOracle::TrainingOracle(const std::string& name)
    : name_(name),
      folder_(folder_of(name)),
      expected_(nlohmann::json::parse(std::ifstream(folder_ / "expected.json"))),
      full_(SafetensorsFile::open(folder_ / "full.safetensors")),
      lora_(SafetensorsFile::open(folder_ / "lora.safetensors")),
      pixels_(SafetensorsFile::open(folder_ / "pixel_values.safetensors")) {}

std::unique_ptr<Training> TrainingOracle::open(const TrainingOptions& options, int threads) const {
  auto checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(test_data() / name_));
  ModelConfig config = as_stored(load_config(test_data() / name_), *checkpoint);
  return std::make_unique<Training>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads}), config,
                                    std::make_unique<CheckpointWeights>(std::move(checkpoint)), Precision{}, options);
}

void TrainingOracle::add(Training& training, const std::string& sample) const {
  for (const nlohmann::json& each : expected_.at("samples")) {
    if (each.at("name") != sample) continue;
    const auto tokens = each.at("input_ids").get<std::vector<int32_t>>(), labels = each.at("labels").get<std::vector<int32_t>>();
    int64_t pictures = 0;
    for (const nlohmann::json& flag : each.at("image_flags")) pictures += flag.get<int>();
    std::vector<float> pixels;
    if (pictures > 0) {
      const TensorInfo* stored = pixels_.find(sample);
      if (stored == nullptr) fail(Status::Internal, sample + ": its pixels are not stored");
      pixels = floats(*stored);
    }
    return training.add({tokens, labels, expected_.at("image_context_id").get<int32_t>(), pixels.data(), nullptr, pictures});
  }
  fail(Status::Internal, sample);
}

double TrainingOracle::error(const std::string& file, const std::string& name, const std::vector<int64_t>& shape,
                             const std::vector<float>& actual) const {
  const SafetensorsFile& from = file == "full" ? full_ : lora_;
  Distance distance;
  if (const TensorInfo* whole = from.find(name); whole != nullptr) {
    const std::vector<float> expected = floats(*whole);
    for (size_t i = 0; i < expected.size(); ++i) distance.add(static_cast<double>(actual.at(i)), static_cast<double>(expected[i]));
    return distance.relative();
  }
  const auto all = static_cast<int64_t>(actual.size());
  const auto rows = static_cast<size_t>(shape[0] == 1 ? all / shape.back() : shape[0]), cols = actual.size() / rows;
  const std::vector<float> by_rows = floats(*from.find(name + "#rows")), by_cols = floats(*from.find(name + "#cols"));
  std::vector<double> sums(cols);
  for (size_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (size_t c = 0; c < cols; ++c) {
      sum += static_cast<double>(actual[r * cols + c]) * direction(c);
      sums[c] += direction(r) * static_cast<double>(actual[r * cols + c]);
    }
    distance.add(sum, static_cast<double>(by_rows[r]));
  }
  for (size_t c = 0; c < cols; ++c) distance.add(sums[c], static_cast<double>(by_cols[c]));
  return distance.relative();
}

std::vector<float> TrainingOracle::start(const std::string& name) const { return floats(*lora_.find("start/" + name)); }

}  // namespace ivl::testing
