// What supervised fine-tuning of a small checkpoint must reproduce: losses, gradients, three steps of AdamW, from the original's code in
// float64. The environment variable IVL_TRAINING_ORACLE names another folder of such cases.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "train/training.h"

namespace ivl::testing {

// Those of the folder, by name.
std::vector<std::string> training_cases();

class TrainingOracle {
 public:
  explicit TrainingOracle(const std::string& name);

  const std::string& name() const { return name_; }
  const nlohmann::json& expected() const { return expected_; }
  // In f32, whatever type the checkpoint is stored in; or with weights in bf16, to which activations are rounded where they meet.
  std::unique_ptr<Training> open(const TrainingOptions& options, int threads = 2, bool bf16 = false) const;
  // How far PyTorch's own bfloat16 is from the truth, relative.
  double bfloat16_error(const std::string& file, const std::string& name) const;
  void add(Training& training, const std::string& sample) const;
  // With the rows of its images, which the training encodes first.
  void add_encoded(Training& training, const std::string& sample) const;
  bool has(const std::string& file, const std::string& name) const;
  // The relative error of a tensor, whole or as its projections, against KIND/NAME of a file ("full", "lora").
  double error(const std::string& file, const std::string& name, const std::vector<int64_t>& shape,
               const std::vector<float>& actual) const;
  // Relative to the whole tensor's norm, from its projections: in 16 bits a projection, whose terms cancel, says little of itself.
  double error_of_norm(const std::string& file, const std::string& name, const std::vector<int64_t>& shape,
                       const std::vector<float>& actual) const;
  // Puts KIND/NAME of the pairs' file where it belongs.
  std::vector<float> start(const std::string& name) const;

 private:
  struct Distance {
    double difference = 0, size = 0;  // squared
    double direction = 0;             // the mean square of what was projected on
    void add(double actual, double expected) {
      difference += (actual - expected) * (actual - expected);
      size += expected * expected;
    }
    double relative() const { return std::sqrt(difference / size); }
  };
  struct Projections {
    Distance rows, cols;
  };
  Projections projections(const std::string& file, const std::string& name, const std::vector<int64_t>& shape,
                          const std::vector<float>& actual) const;
  const SafetensorsFile& file_of(const std::string& file) const { return file == "full" ? full_ : lora_; }
  size_t line_of(const std::string& sample) const;
  void add_with(Training& training, const std::string& sample, bool encoded) const;
  std::vector<float> pixels_of(size_t line) const;
  std::vector<std::string> pictures_of(size_t line) const;

  std::string name_;
  std::filesystem::path folder_;
  nlohmann::json expected_;
  std::vector<nlohmann::json> lines_;
  SafetensorsFile full_, lora_, pixels_;
};

}  // namespace ivl::testing
