#include "train/training.h"

#include <gtest/gtest.h>

#include "train/training_oracle.h"

namespace ivl {
namespace {

constexpr double kBound = 1e-4;  // relative, of every gradient in f32

class TrainingOracleTest : public ::testing::TestWithParam<const char*> {
 protected:
  const testing::TrainingOracle oracle_{GetParam()};

  // The micro-batch `probe`, with samples whose pixels are stored alone.
  double learn_probe(Training& training) const {
    for (const auto& sample : oracle_.expected().at("probe")) oracle_.add(training, sample);
    return training.learn(1).mean;
  }

  void expect_gradients(const Training& training, const std::string& file, const std::string& kind) const {
    for (const auto& parameter : training.model().parameters().all()) {
      std::vector<float> gradient(static_cast<size_t>(parameter->elements()));
      training.read(*parameter, Parameter::kGradient, gradient.data());
      EXPECT_LT(oracle_.error(file, kind + "/" + parameter->name, parameter->shape, gradient), kBound) << parameter->name;
    }
  }
};

TEST_P(TrainingOracleTest, GradientsOfEveryParameter) {
  for (const bool keeps : {false, true}) {
    TrainingOptions options{.learning = {.decoder = Learns::All, .vision = Learns::All, .projector = Learns::All}, .keeps = keeps};
    const auto training = oracle_.open(options);
    EXPECT_NEAR(learn_probe(*training), oracle_.expected()["losses"]["float64"].get<double>(), 2e-5);
    expect_gradients(*training, "full", "gradient");
  }
}

TEST_P(TrainingOracleTest, GradientsOfPairs) {
  const LoraShape shape{oracle_.expected()["lora"]["rank"].get<int64_t>(), 2.0f * oracle_.expected()["lora"]["rank"].get<float>()};
  const auto training = oracle_.open(
      {.learning = {.decoder = Learns::Lora, .vision = Learns::Lora, .decoder_lora = shape, .vision_lora = shape}, .keeps = false});
  for (const auto& parameter : training->model().parameters().all()) {
    const std::vector<float> start = oracle_.start(parameter->name);
    training->write(*parameter, start.data());
  }
  EXPECT_NEAR(learn_probe(*training), oracle_.expected()["lora"]["losses"]["away float64"].get<double>(), 2e-5);
  expect_gradients(*training, "lora", "gradient/away");
}

INSTANTIATE_TEST_SUITE_P(Cases, TrainingOracleTest, ::testing::Values("hermes-gqa7"));

}  // namespace
}  // namespace ivl
