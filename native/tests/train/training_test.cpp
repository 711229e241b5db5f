#include "train/training.h"

#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "model/recording.h"
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
    const nlohmann::json& lora = oracle_.expected()["lora"];
    const auto shape = [&](const char* rank) { return LoraShape{lora[rank], 2 * lora[rank].get<float>()}; };
    Learning learning{.vision = lora["vision_rank"] > 0 ? Learns::Lora : Learns::Nothing};
    learning.decoder_lora = shape("rank");
    learning.vision_lora = shape("vision_rank");
    return {.learning = learning};
  }

  void begin_at_start(Training& training) const {
    for (const auto& parameter : training.model().parameters().all()) {
      training.write(*parameter, oracle_.start(parameter->name).data());
    }
  }

  // The steps of `run`, with the rates and the outcomes of `steps`.
  void expect_steps(Training& training, const nlohmann::json& steps, const std::string& file) const {
    std::vector<std::vector<float>> before;
    for (const auto& parameter : training.model().parameters().all())
      before.push_back(read(training, *parameter, Parameter::kValue));
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

TEST_P(TrainingOracleTest, GradientsOfActivations) {
  const auto training = oracle_.open(all_learns());
  Recording recording;
  oracle_.add(*training, "image-last");
  training->learn(1, &recording);
  size_t compared = 0;
  for (const Recording::Entry& stage : recording.entries()) {
    const std::string name = "activation_gradient/" + stage.name;
    if (!oracle_.has("full", name)) continue;
    EXPECT_LT(oracle_.error("full", name, {}, stage.values), kBound) << name;
    ++compared;
  }
  EXPECT_GE(compared, 5U);
}

// Within twice the error of PyTorch's own bfloat16.
TEST_P(TrainingOracleTest, GradientsInBf16) {
  for (const auto& [options, file, kind] :
       {std::tuple(all_learns(), "full", "gradient"), std::tuple(pairs_learn(), "lora", "gradient/away")}) {
    const auto training = oracle_.open(options, 2, true);
    if (file == std::string("lora")) begin_at_start(*training);
    learn_probe(*training);
    for (const auto& parameter : training->model().parameters().all()) {
      const std::string name = cat(kind, "/", parameter->name);
      EXPECT_LT(oracle_.error_of_norm(file, name, parameter->shape, read(*training, *parameter, Parameter::kGradient)),
                2 * oracle_.bfloat16_error(file, name))
          << name;
    }
  }
}

TEST_P(TrainingOracleTest, ThreeStepsOfEveryParameter) {
  TrainingOptions options = all_learns();
  options.optimizer.decay = oracle_.expected()["run"]["decay"];
  const auto training = oracle_.open(options);
  expect_steps(*training, oracle_.expected()["run"]["steps"], "full");
}

// The tower stays as it is; what the projector has learnt is taken over, also by products in 16 bits, which have a copy.
TEST_P(TrainingOracleTest, ProjectorAlone) {
  const TrainingOptions options{.learning = {.decoder = Learns::Nothing, .vision = Learns::Nothing, .projector = Learns::All}};
  const auto exact = oracle_.open(options);
  learn_probe(*exact);
  expect_gradients(*exact, "full", "gradient");
  const auto training = oracle_.open(options, 2, true);
  const double before = learn_probe(*training);
  training->update(1e-3);
  const double after = learn_probe(*training);
  EXPECT_LT(after, before);
  const auto other = oracle_.open(options, 2, true);
  for (const auto& parameter : other->model().parameters().all()) {
    const Parameter& learnt = *training->model().parameters().find(parameter->name);
    other->write(*parameter, read(*training, learnt, Parameter::kValue).data());
  }
  EXPECT_EQ(learn_probe(*other), after);
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

// What learns after two steps of the probe.
std::vector<std::vector<float>> learnt(const testing::TrainingOracle& oracle, TrainingOptions options, int threads) {
  options.optimizer.decay = 0.05;
  const auto training = oracle.open(options, threads);
  for (int step = 0; step < 2; ++step) {
    for (const auto& sample : oracle.expected().at("probe")) {
      oracle.add(*training, sample);
      training->learn(0.25);
    }
    training->update(1e-3);
  }
  std::vector<std::vector<float>> values;
  for (const auto& parameter : training->model().parameters().all()) {
    values.emplace_back(static_cast<size_t>(parameter->elements()));
    training->read(*parameter, Parameter::kValue, values.back().data());
  }
  return values;
}

TEST_P(TrainingOracleTest, BitsAreTheSameWithMoreThreads) {
  for (const TrainingOptions& options : {all_learns(), pairs_learn()}) {
    const auto expected = learnt(oracle_, options, 1);
    for (const int threads : {2, 3}) EXPECT_TRUE(learnt(oracle_, options, threads) == expected) << threads;
  }
}

TEST_P(TrainingOracleTest, BitsAreTheSameWithIntermediatesKept) {
  for (TrainingOptions options : {all_learns(), pairs_learn()}) {
    const auto expected = learnt(oracle_, options, 2);
    options.keeps = true;
    EXPECT_TRUE(learnt(oracle_, options, 3) == expected);
  }
}

TEST_P(TrainingOracleTest, PicturesEncodedOnceGiveTheSameBits) {
  const auto from_pixels = oracle_.open(pairs_learn().learning.vision == Learns::Nothing ? pairs_learn() : TrainingOptions{});
  const auto from_features = oracle_.open(from_pixels->options());
  oracle_.add(*from_pixels, "two-images");
  oracle_.add_encoded(*from_features, "two-images");
  EXPECT_EQ(from_pixels->learn(1).mean, from_features->learn(1).mean);
  for (size_t i = 0; i < from_pixels->model().parameters().all().size(); ++i) {
    EXPECT_TRUE(read(*from_pixels, *from_pixels->model().parameters().all()[i], Parameter::kGradient) ==
                read(*from_features, *from_features->model().parameters().all()[i], Parameter::kGradient));
  }
}

TEST_P(TrainingOracleTest, CancelledStepIsUndone) {
  const auto training = oracle_.open(pairs_learn());
  const auto undisturbed = oracle_.open(pairs_learn());
  learn_probe(*training);
  oracle_.add(*training, "text");
  training->cancel();
  try {
    training->learn(1);
    FAIL() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::Cancelled);
  }
  EXPECT_EQ(learn_probe(*training), learn_probe(*undisturbed));
  EXPECT_EQ(training->update(1e-3).norm, undisturbed->update(1e-3).norm);
}

TEST_P(TrainingOracleTest, NothingToLearnChangesNothing) {
  const auto training = oracle_.open(pairs_learn());
  oracle_.add(*training, "unanswered");
  const Training::Loss loss = training->learn(1);
  EXPECT_EQ(loss.learnt, 0);
  EXPECT_EQ(loss.mean, 0);
  EXPECT_EQ(training->update(0).norm, 0);
}

INSTANTIATE_TEST_SUITE_P(Cases, TrainingOracleTest, ::testing::ValuesIn(testing::training_cases()));

}  // namespace
}  // namespace ivl
