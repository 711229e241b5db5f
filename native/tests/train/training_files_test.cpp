#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "checkpoint/checkpoint.h"
#include "checkpoint/checkpoint_files.h"
#include "model/adapters/lora_tensors.h"
#include "model/oracle.h"
#include "train/trained_adapter.h"
#include "train/trained_checkpoint.h"
#include "train/training_oracle.h"

namespace ivl {
namespace {

class TrainingFilesTest : public ::testing::Test {
 protected:
  static TrainingOptions options(Learns decoder) {
    TrainingOptions options;
    options.learning.decoder = decoder;
    options.learning.decoder_lora = {4, 8};
    options.optimizer.decay = 0.05;
    return options;
  }

  void step(Training& training) const {
    oracle_.add(training, "image");
    oracle_.add(training, "text");
    training.learn(1);
    training.update(1e-3);
  }

  static std::vector<std::vector<float>> values(const Training& training) {
    std::vector<std::vector<float>> all;
    for (const auto& parameter : training.model().parameters().all()) {
      all.emplace_back(static_cast<size_t>(parameter->elements()));
      training.read(*parameter, Parameter::kValue, all.back().data());
    }
    return all;
  }

  static void expect_refused(Training& training, const std::filesystem::path& file, const std::string& part) {
    const auto before = values(training);
    try {
      training.resume(file);
      FAIL() << "was not refused";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    }
    EXPECT_TRUE(values(training) == before);
  }

  const testing::TrainingOracle oracle_{testing::training_cases().front()};
  const checkpoint_test::TempDir folder_;
  const std::filesystem::path state_ = folder_.path() / "state.safetensors";
};

TEST_F(TrainingFilesTest, ResumedStepsGiveTheSameBits) {
  for (const Learns learns : {Learns::Lora, Learns::All}) {
    const auto whole = oracle_.open(options(learns)), first = oracle_.open(options(learns)), second = oracle_.open(options(learns));
    for (int i = 0; i < 4; ++i) step(*whole);
    for (int i = 0; i < 2; ++i) step(*first);
    first->save(state_, "sample 17");
    EXPECT_EQ(Training::saved_text(state_), "sample 17");
    second->resume(state_);
    EXPECT_EQ(second->steps(), 2);
    for (int i = 0; i < 2; ++i) step(*second);
    EXPECT_TRUE(values(*second) == values(*whole));
  }
}

TEST_F(TrainingFilesTest, StateOfAnotherTrainingIsRefused) {
  const auto saved = oracle_.open(options(Learns::Lora));
  saved->save(state_, "");
  TrainingOptions other = options(Learns::Lora);
  other.learning.decoder_lora.rank = 8;
  expect_refused(*oracle_.open(other), state_, "with other settings");
}

TEST_F(TrainingFilesTest, TornStateIsRefused) {
  const auto training = oracle_.open(options(Learns::Lora));
  step(*training);
  training->save(state_, "");
  std::filesystem::resize_file(state_, std::filesystem::file_size(state_) - 1);
  expect_refused(*training, state_, "");
  std::ofstream(state_, std::ios::trunc) << "";
  expect_refused(*training, state_, "");
}

TEST_F(TrainingFilesTest, WeightsAreNoState) {
  const auto training = oracle_.open(options(Learns::Lora));
  write_adapter(training->model(), folder_.path() / "adapter", "base");
  expect_refused(*training, folder_.path() / "adapter" / "adapter_model.safetensors", "expected");
}

TEST_F(TrainingFilesTest, AdapterHasThePairs) {
  TrainingOptions both = options(Learns::Lora);
  both.learning.vision = Learns::Lora;
  both.learning.vision_lora = {2, 6};
  const auto training = oracle_.open(both);
  step(*training);
  write_adapter(training->model(), folder_.path(), "base");
  const TrainedModel& model = training->model();
  const LoraTensors read = LoraTensors::of_folder(folder_.path(), model.config(), model.params());
  size_t pairs = 0;
  for (const Param& param : model.params().all()) {
    if (param.role != Role::Linear) continue;
    const PairOfParameters expected = model.parameters().pair(param);
    const LoraPair* actual = read.find(param);
    ASSERT_EQ(actual != nullptr, expected.a != nullptr) << param.name;
    if (actual == nullptr) continue;
    EXPECT_FLOAT_EQ(actual->scale, expected.scale) << param.name;
    for (const auto& [half, stored] : {std::pair(expected.a, &actual->a), std::pair(expected.b, &actual->b)}) {
      ASSERT_EQ(half->shape, stored->shape);
      for (size_t i = 0; i < static_cast<size_t>(half->elements()); ++i) {
        ASSERT_EQ(load_f32(stored->data, stored->dtype, i), load_f32(half->value().data, DType::F32, i));
      }
    }
    ++pairs;
  }
  EXPECT_EQ(pairs * 2, model.parameters().all().size());
}

TEST_F(TrainingFilesTest, AdapterOfWholePartsIsRefused) {
  EXPECT_THROW(write_adapter(oracle_.open(options(Learns::All))->model(), folder_.path(), "base"), Error);
}

TEST_F(TrainingFilesTest, CheckpointHasWhatWasLearntInItsType) {
  const auto training = oracle_.open(options(Learns::All));
  step(*training), step(*training);
  const std::filesystem::path source = testing::test_data() / oracle_.name();
  TrainedCheckpoint writer(source, folder_.path() / "out", training->model().parameters());
  while (writer.done() < writer.total()) writer.step();
  std::filesystem::copy_file(source / "config.json", folder_.path() / "out" / "config.json");
  const Checkpoint before = Checkpoint::open(source), after = Checkpoint::open(folder_.path() / "out");
  size_t changed = 0;
  for (const TensorInfo& tensor : before.tensors()) {
    const TensorInfo& now = after.get(tensor.name);
    ASSERT_EQ(now.dtype_name, tensor.dtype_name);
    const Parameter* learnt = training->model().parameters().find(tensor.name);
    if (learnt == nullptr) {
      EXPECT_EQ(std::memcmp(now.data, tensor.data, tensor.bytes), 0) << tensor.name;
      continue;
    }
    std::vector<std::byte> expected(tensor.bytes);
    for (size_t i = 0; i < static_cast<size_t>(learnt->elements()); ++i) {
      store_f32(expected.data(), *tensor.dtype, i, load_f32(learnt->value().data, DType::F32, i));
    }
    EXPECT_EQ(std::memcmp(now.data, expected.data(), expected.size()), 0) << tensor.name;
    changed += std::memcmp(now.data, tensor.data, tensor.bytes) != 0;
  }
  EXPECT_GT(changed, 10U);
}

}  // namespace
}  // namespace ivl
