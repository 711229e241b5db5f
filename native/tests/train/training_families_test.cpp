// Every family's gradients against differences of its own loss: a step along a parameter's gradient changes the loss by its length.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "cpu/cpu_backend.h"
#include "model/checkpoint_weights.h"
#include "model/oracle.h"
#include "model/weights.h"
#include "train/training.h"
#include "train/training_plan.h"

namespace ivl {
namespace {

class TrainingFamilyTest : public ::testing::TestWithParam<const char*> {
 protected:
  static std::unique_ptr<Training> open(const char* name, const Learning& learning) {
    const std::filesystem::path folder = testing::test_data() / name;
    auto checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(folder));
    ModelConfig config = as_stored(load_config(folder), *checkpoint);
    require_trainable(config);
    return std::make_unique<Training>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}), config,
                                      std::make_unique<CheckpointWeights>(std::move(checkpoint)), Precision{},
                                      TrainingOptions{.learning = learning});
  }

  // Two images and some words around them, all of which are learnt.
  struct Sample {
    explicit Sample(const ModelConfig& config) {
      std::mt19937 random(7);
      const auto vocabulary = static_cast<int32_t>(config.language.vocab);
      image = vocabulary - 1;
      const auto words = [&](int count) {
        for (int i = 0; i < count; ++i) tokens.push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(vocabulary - 1)));
      };
      words(5);
      for (int i = 0; i < 2; ++i) {
        tokens.insert(tokens.end(), static_cast<size_t>(config.tokens_per_image()), image);
        words(6);
      }
      labels = tokens;
      std::replace(labels.begin(), labels.end(), image, MicroBatch::kIgnored);
      std::uniform_real_distribution<float> uniform(-2, 2);
      pixels.resize(static_cast<size_t>(2 * config.vision.channels * config.image_size * config.image_size));
      for (float& pixel : pixels) pixel = uniform(random);
    }
    void add(Training& training) const { training.add({tokens, labels, image, pixels.data(), nullptr, 2}); }

    std::vector<int32_t> tokens, labels;
    int32_t image;
    std::vector<float> pixels;
  };

  static std::vector<float> read(const Training& training, const Parameter& parameter, Parameter::Kind kind) {
    std::vector<float> values(static_cast<size_t>(parameter.elements()));
    training.read(parameter, kind, values.data());
    return values;
  }

  static double norm(const std::vector<float>& values) {
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(squares);
  }

  static void expect_slopes(Training& training) {
    constexpr double kShare = 0.02;   // of a parameter's norm: how far a step goes at most
    constexpr double kChange = 0.02;  // of the loss by a step, at most
    constexpr double kSeen = 2e-4;    // a change that is clear of the rounding of the loss
    const Sample sample(training.model().config());
    sample.add(training);
    training.learn(1);
    size_t seen = 0;
    for (const auto& parameter : training.model().parameters().all()) {
      const std::vector<float> values = read(training, *parameter, Parameter::kValue);
      const std::vector<float> gradient = read(training, *parameter, Parameter::kGradient);
      const double length = norm(gradient);
      ASSERT_TRUE(std::isfinite(length)) << parameter->name;
      const double step = std::min(kShare * std::max(norm(values), 1.0), kChange / length);
      if (step * length < kSeen) continue;
      ++seen;
      const auto loss_at = [&](double distance) {
        std::vector<float> moved = values;
        for (size_t i = 0; i < moved.size(); ++i)
          moved[i] += static_cast<float>(distance / length * static_cast<double>(gradient[i]));
        training.write(*parameter, moved.data());
        sample.add(training);
        return training.loss().mean;
      };
      const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
      training.write(*parameter, values.data());
      EXPECT_NEAR(slope / length, 1, 0.03) << parameter->name << ", gradient " << length;
    }
    EXPECT_GT(seen * 2, training.model().parameters().all().size());
  }
};

TEST_P(TrainingFamilyTest, GradientsOfEveryParameterAreTheLosss) {
  const auto training = open(GetParam(), {.decoder = Learns::All, .vision = Learns::All, .projector = Learns::All});
  expect_slopes(*training);
}

TEST_P(TrainingFamilyTest, GradientsOfPairsAreTheLosss) {
  Learning learning{.decoder = Learns::Lora, .vision = Learns::Lora};
  learning.decoder_lora = learning.vision_lora = {4, 8};
  const auto training = open(GetParam(), learning);
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
  for (const auto& parameter : training->model().parameters().all()) {
    if (!parameter->name.ends_with(kLoraB)) continue;
    std::vector<float> away(static_cast<size_t>(parameter->elements()));
    for (float& value : away) value = uniform(random);
    training->write(*parameter, away.data());
  }
  expect_slopes(*training);
}

INSTANTIATE_TEST_SUITE_P(Families, TrainingFamilyTest,
                         ::testing::Values("internlm2-tiles", "llama2-zh", "llama3-bpe", "phi3", "qwen2-hf", "qwen2-tied", "qwen3"),
                         [](const auto& each) { return testing::test_name(each.param); });

TEST(TrainingFamilies, ExpertsAreRefused) {
  try {
    require_trainable(load_config(testing::test_data() / "qwen3-moe"));
    FAIL() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::Unsupported);
  }
}

}  // namespace
}  // namespace ivl
