#include "train/training.h"

#include <gtest/gtest.h>

#include <functional>

#include "train/training_oracle.h"

namespace ivl {
namespace {

constexpr double kBound = 1e-4, kChangeBound = 1e-3;  // relative, of every gradient and of every change in f32

class TrainingOracleTest : public ::testing::TestWithParam<std::string> {
 protected:
  const testing::TrainingOracle oracle_{GetParam()};

  // The micro-batch `probe`.
  double learn_probe(Training& training) const {
    for (const auto& sample : oracle_.expected().at("probe")) oracle_.add(training, sample);
    return training.learn(1).mean;
  }

  // Every tensor of a kind that the file has for this training's parameters.
  void expect_tensors(const Training& training, const std::string& file, const std::string& kind, double bound,
                      const std::function<std::vector<float>(const Parameter&)>& actual) const {
    for (const auto& parameter : training.model().parameters().all()) {
      EXPECT_LT(oracle_.error(file, kind + "/" + parameter->name, parameter->shape, actual(*parameter)), bound) << parameter->name;
    }
  }

  void expect_gradients(const Training& training, const std::string& file, const std::string& kind) const {
    expect_tensors(training, file, kind, kBound,
                   [&](const Parameter& parameter) { return read(training, parameter, Parameter::kGradient); });
  }

  static std::vector<float> read(const Training& training, const Parameter& parameter, Parameter::Kind kind) {
    std::vector<float> values(static_cast<size_t>(parameter.elements()));
    training.read(parameter, kind, values.data());
    return values;
  }

  TrainingOptions all_learns() const {
    return {.learning = {.decoder = Learns::All, .vision = Learns::All, .projector = Learns::All}};
  }

  TrainingOptions pairs_learn() const {
    const auto rank = oracle_.expected()["lora"]["rank"].get<int64_t>();
    const LoraShape shape{rank, 2 * static_cast<float>(rank)};
    return {.learning = {.decoder = Learns::Lora, .vision = Learns::Lora, .decoder_lora = shape, .vision_lora = shape}};
  }

  void begin_at_start(Training& training) const {
    for (const auto& parameter : training.model().parameters().all()) {
      training.write(*parameter, oracle_.start(parameter->name).data());
    }
  }

  // The steps of `run`, with the rates and the outcomes of `steps`.
  void expect_steps(Training& training, const nlohmann::json& steps, const std::string& file) const {
    std::vector<std::vector<float>> before;
    for (const auto& parameter : training.model().parameters().all()) before.push_back(read(training, *parameter, Parameter::kValue));
    const nlohmann::json& run = oracle_.expected()["run"];
    const auto rounds = run["accumulate"].get<size_t>(), size = run["micro_batch"].get<size_t>();
    size_t sample = 0;
    for (const nlohmann::json& step : steps) {
      for (size_t round = 0; round < rounds; ++round) {
        for (size_t i = 0; i < size; ++i) oracle_.add(training, run["order"].at(sample++));
        EXPECT_NEAR(training.learn(1.0 / static_cast<double>(rounds)).mean, step["losses"].at(round).get<double>(), 4e-5);
      }
      const Training::Update update = training.update(step["rate"]);
      EXPECT_NEAR(update.norm / step["gradient_norm"].get<double>(), 1, 2e-5);
      EXPECT_NEAR(update.factor / step["factor"].get<double>(), 1, 2e-5);
    }
    size_t at = 0;
    expect_tensors(training, file, "change", kChangeBound, [&](const Parameter& parameter) {
      std::vector<float> change = read(training, parameter, Parameter::kValue);
      for (size_t i = 0; i < change.size(); ++i) change[i] -= before[at][i];
      ++at;
      return change;
    });
  }
};

TEST_P(TrainingOracleTest, GradientsOfEveryParameter) {
  for (const bool keeps : {false, true}) {
    TrainingOptions options = all_learns();
    options.keeps = keeps;
    const auto training = oracle_.open(options);
    EXPECT_NEAR(learn_probe(*training), oracle_.expected()["losses"]["float64"].get<double>(), 2e-5);
    expect_gradients(*training, "full", "gradient");
  }
}

TEST_P(TrainingOracleTest, ThreeStepsOfEveryParameter) {
  TrainingOptions options = all_learns();
  options.optimizer.decay = oracle_.expected()["run"]["decay"];
  const auto training = oracle_.open(options);
  expect_steps(*training, oracle_.expected()["run"]["steps"], "full");
}

TEST_P(TrainingOracleTest, GradientsOfPairs) {
  const auto training = oracle_.open(pairs_learn());
  EXPECT_NEAR(learn_probe(*training), oracle_.expected()["lora"]["losses"]["begin float64"].get<double>(), 2e-5);
  training->drop();
  begin_at_start(*training);
  EXPECT_NEAR(learn_probe(*training), oracle_.expected()["lora"]["losses"]["away float64"].get<double>(), 2e-5);
  expect_gradients(*training, "lora", "gradient/away");
}

TEST_P(TrainingOracleTest, ThreeStepsOfPairs) {
  TrainingOptions options = pairs_learn();
  options.optimizer.decay = oracle_.expected()["run"]["decay"];
  const auto training = oracle_.open(options);
  begin_at_start(*training);
  expect_steps(*training, oracle_.expected()["lora"]["steps"], "lora");
}

INSTANTIATE_TEST_SUITE_P(Cases, TrainingOracleTest, ::testing::ValuesIn(testing::training_cases()));

}  // namespace
}  // namespace ivl
