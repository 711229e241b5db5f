// Adapters of requests: against the original's logits, and that a request's bits are those it has alone, whatever adapters stand beside
// it in a batch or before it in a cache.
#include <gtest/gtest.h>

#include "backend/watched_backend.h"
#include "cpu/cpu_backend.h"
#include "generate/mixed_adapters.h"

namespace ivl {
namespace {

using checkpoint_test::expect_error;
using testing::AdapterFolder;
using testing::AdapterOriginals;
using testing::Answer;
using testing::answer;
using testing::Dialog;
using testing::gqa7;
using testing::greedy;
using testing::Oracle;
using testing::OriginalAnswer;
using testing::Requests;

using Loaded = std::shared_ptr<const LoadedAdapter>;

Answer answer_with(const std::shared_ptr<Engine>& engine, const Prompt& prompt, std::vector<AdapterChoice> adapters,
                   int32_t tokens = 4) {
  return answer(engine, prompt, greedy(static_cast<size_t>(tokens)), {.adapters = std::move(adapters)});
}

LoadOptions in(DType precision) {
  LoadOptions options;
  options.precision = precision;
  return options;
}

std::shared_ptr<Engine> load(const LoadOptions& options, int threads = 2, bool rounds = false) {
  const cpu::CpuOptions cpu{.threads = threads, .bf16_activations = rounds};
  return gqa7().load(testing::always(std::make_shared<cpu::CpuBackend>(cpu)), options);
}

void expect_original(const Answer& got, const OriginalAnswer& original) {
  if (original.margin > 0.01) {
    EXPECT_EQ(got.tokens, original.tokens);
  }
  std::vector<float> logits;
  for (const auto& row : got.logits) logits.insert(logits.end(), row.begin(), row.end());
  ASSERT_GE(logits.size(), original.logits.size());
  logits.resize(original.logits.size());
  EXPECT_LE(testing::relative_error(logits, original.logits), 1e-4);
}

TEST(Adapters, LogitsBesideTheWeightsAreTheOriginals) {
  const AdapterOriginals originals;
  const auto engine = load(in(DType::F32));
  const Loaded adapter = engine->load_adapter(originals.folder());
  EXPECT_FALSE(adapter->sees());
  for (const OriginalAnswer& each : originals.of(*engine, "adapter"))
    expect_original(answer_with(engine, each.prompt, {{adapter}}, 12), each);
  for (const OriginalAnswer& each : originals.of(*engine, "base")) expect_original(answer_with(engine, each.prompt, {}, 12), each);
  for (const OriginalAnswer& each : originals.of(*engine, "base"))
    expect_original(answer_with(engine, each.prompt, {{adapter, 0}}, 12), each);
}

class Mixed : public ::testing::Test, protected testing::MixedAdapters {};

struct How {
  const char* name;
  LoadOptions options;
  bool rounds = false;
};

std::vector<How> ways() {
  std::vector<How> ways;
  ways.push_back({"f32", in(DType::F32)});
  ways.push_back({"bf16", in(DType::BF16)});
  ways.push_back({"rounded", in(DType::BF16), true});
  LoadOptions int8, int4;
  int8.formats = {WeightFormat::Int8, WeightFormat::Int8, WeightFormat::Int8};
  int4.formats = {WeightFormat::Int4, WeightFormat::Int8, WeightFormat::Plain};
  ways.push_back({"int8", int8});
  ways.push_back({"int4", int4});
  return ways;
}

TEST_F(Mixed, ABatchGivesEachRequestTheBitsThatItHasAlone) {
  for (const How& how : ways()) {
    SCOPED_TRACE(how.name);
    std::vector<Answer> alone;
    for (const int threads : {1, 2}) {
      load(ivl::load(how.options, threads, how.rounds));
      const std::vector<Ask> asks = four();
      for (size_t i = 0; threads == 1 && i < asks.size(); ++i) {
        alone.push_back(answer_with(engine_, prompt(asks[i].dialog, asks[i].adapters), asks[i].adapters));
        for (size_t j = 0; j < i; ++j) EXPECT_NE(alone[i].logits, alone[j].logits) << i << " and " << j;
      }
      Requests batch(engine_, {.kv_blocks = 40});
      for (const Ask& ask : asks) batch.add(prompt(ask.dialog, ask.adapters), greedy(4), {.adapters = ask.adapters});
      batch.run();
      for (size_t i = 0; i < asks.size(); ++i) EXPECT_EQ(batch.of(static_cast<int64_t>(i)).logits, alone[i].logits) << i;
    }
  }
}

TEST_F(Mixed, ARequestWithoutOneHasTheBitsOfAModelWithoutAny) {
  const auto plain = ivl::load(in(DType::BF16));
  const Answer before = answer(plain, gqa7().prompt(*plain, gqa7().dialog("text.0")), greedy(4));
  load(ivl::load(in(DType::BF16)));
  Requests batch(engine_);
  batch.add(prompt("text.0", {}), greedy(4));
  batch.add(prompt("text.0", {}), greedy(4), {.adapters = {{wide_loaded_}}});
  batch.run();
  EXPECT_EQ(batch.of(0).logits, before.logits);
}

TEST_F(Mixed, TheOrderOfAdaptersMakesNoDifferenceAndWeightsAddUp) {
  load(ivl::load(in(DType::F32)));
  const Prompt text = prompt("text.0", {});
  const Answer one = answer_with(engine_, text, {{first_, 1}, {wide_loaded_, 0.5f}});
  EXPECT_EQ(answer_with(engine_, text, {{wide_loaded_, 0.5f}, {first_, 1}}).logits, one.logits);
  EXPECT_EQ(answer_with(engine_, text, {{first_, 0.25f}, {wide_loaded_, 0.5f}, {first_, 0.75f}}).logits, one.logits);
  EXPECT_NE(answer_with(engine_, text, {{first_, 1}, {wide_loaded_, 1}}).logits, one.logits);
}

TEST_F(Mixed, CachesAreOfTheSameAdaptersAlone) {
  load(ivl::load(in(DType::F32)));
  const Prompt text = prompt("text.0", {});
  Requests requests(engine_, {.kv_blocks = 40});
  const auto ask = [&](std::vector<AdapterChoice> adapters) {
    const int64_t id = requests.add(text, greedy(3), {.adapters = std::move(adapters)});
    requests.run();
    return requests.of(id);
  };
  const Answer base = ask({}), with = ask({{first_}}), half = ask({{first_, 0.5f}}), both = ask({{first_}, {wide_loaded_}});
  for (const Answer* each : {&base, &with, &half, &both}) EXPECT_EQ(each->reused, 0);
  const auto all_but_one = static_cast<int64_t>(text.tokens.size()) - 1;
  const Answer again = ask({{first_}}), both_again = ask({{wide_loaded_}, {first_}}), base_again = ask({{first_, 0}});
  EXPECT_EQ(again.reused, all_but_one);
  EXPECT_EQ(both_again.reused, all_but_one);
  EXPECT_EQ(base_again.reused, all_but_one);
  EXPECT_EQ(again.logits, with.logits);
  EXPECT_EQ(both_again.logits, both.logits);
  EXPECT_EQ(base_again.logits, base.logits);
}

TEST_F(Mixed, PicturesAreSharedUnlessAnAdapterSeesThem) {
  load(ivl::load(in(DType::F32)));
  const Dialog& dialog = gqa7().dialog("image.0");
  FeatureStore store(size_t{1} << 30);
  const auto features = [&](std::vector<AdapterChoice> adapters) {
    return store.get(engine_, "the picture", gqa7().pixels(dialog), 1, {std::move(adapters), *engine_});
  };
  const auto plain = features({}), adapted = features({{first_}}), seen = features({{seeing_loaded_}}),
             seen_less = features({{seeing_loaded_, 0.5f}, {first_}});
  EXPECT_EQ(plain, adapted);
  EXPECT_NE(plain, seen);
  EXPECT_NE(seen, seen_less);
  EXPECT_EQ(features({{seeing_loaded_, 0.5f}}), seen_less);
  // Encoded when a request needs them, with the adapters that they were made for.
  Prompt later = prompt("image.0", {}), now = prompt("image.0", {{seeing_loaded_}});
  later.features = {seen};
  EXPECT_EQ(answer_with(engine_, later, {{seeing_loaded_}}).logits, answer_with(engine_, now, {{seeing_loaded_}}).logits);
  for (const auto& [made, chosen] : std::vector<std::pair<std::shared_ptr<Features>, std::vector<AdapterChoice>>>{
           {plain, {{seeing_loaded_}}}, {seen, {}}, {seen, {{seeing_loaded_, 2}}}}) {
    later.features = {made};
    expect_error(Status::InvalidArgument, {"features 0", "adapters"},
                 [&] { Request(*engine_, later, {.sampling = greedy(1), .adapters = chosen}); });
  }
}

TEST_F(Mixed, WhatRequestsHaveStaysWhenItIsGivenBack) {
  const auto watched = std::make_shared<testing::WatchedBackend>(std::make_shared<cpu::CpuBackend>());
  load(gqa7().load(watched, DType::F32));
  const Prompt text = prompt("text.0", {});
  const Answer expected = answer_with(engine_, text, {{wide_loaded_}});
  Requests requests(engine_);
  requests.add(text, greedy(4), {.adapters = {{wide_loaded_}}});
  requests.turn();
  const std::weak_ptr<const LoadedAdapter> watch = wide_loaded_;
  wide_loaded_.reset();
  EXPECT_FALSE(watch.expired());
  requests.run();
  EXPECT_EQ(requests.of(0).logits, expected.logits);
  EXPECT_TRUE(watch.expired());
  EXPECT_TRUE(watched->intruders().empty());
}

TEST_F(Mixed, AdaptersOfAnotherModelAndWeightsThatAreNoneAreRefused) {
  load(ivl::load(in(DType::F32)));
  const Loaded other = first_;
  const Prompt text{{5, 6, 7}, -1, {}, {}};
  const auto own = ivl::load(in(DType::F32));
  expect_error(Status::InvalidArgument, {"adapter 0", "another model"},
               [&] { Request(*own, text, {.sampling = greedy(1), .adapters = {{other}}}); });
  expect_error(Status::InvalidArgument, {"weight of adapter 0", "finite"}, [&] {
    Request(*engine_, text, {.sampling = greedy(1), .adapters = {{other, std::numeric_limits<float>::infinity()}}});
  });
  engine_->close();
  expect_error(Status::Closed, {}, [&] { engine_->load_adapter(wide_.path()); });
}

TEST(Adapters, PairsOfExpertsAreRefusedByName) {
  const Oracle oracle("qwen3-moe");
  const auto engine = oracle.load(std::make_shared<cpu::CpuBackend>(), DType::F32);
  const ParamTable params(engine->config());
  for (const Param& param : params.all()) {
    if (param.expert != 1 && param.use != Use::Router) continue;
    AdapterFolder folder;
    folder.pair(param.name.substr(0, param.name.size() - 7), param.shape[0], param.shape[1], 4);
    expect_error(Status::Unsupported, {"lora_A", "merge"}, [&] { engine->load_adapter(folder.write()); });
  }
}

}  // namespace
}  // namespace ivl
