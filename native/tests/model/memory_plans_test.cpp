// What a message says that does not fit.
#include "model/memory_plans.h"

#include <gtest/gtest.h>

#include "checkpoint/checkpoint_files.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using Place = MemoryPlans::Place;

class MemoryPlansTest : public ::testing::Test {
 protected:
  MemoryPlans plans(const Precision& precision, int64_t max_batch, bool mapped = true) const {
    return {&checkpoint_, config_, precision, max_batch, mapped};
  }
  // Of one request in a shorter context.
  int64_t total(const Precision& precision, int64_t context) const {
    ModelConfig config = config_;
    config.language.context = context;
    return plan_memory(checkpoint_, config, precision, true).total();
  }

  testing::Oracle oracle_{"hermes-d128"};
  ModelConfig config_ = load_config(oracle_.folder());
  Checkpoint checkpoint_ = Checkpoint::open(oracle_.folder());
  Precision bf16_{DType::BF16};
};

TEST_F(MemoryPlansTest, HaveTheCachesOfABatch) {
  const MemoryPlan one = plans(bf16_, 1).at(Place::Host), eight = plans(bf16_, 8).at(Place::Host);
  EXPECT_EQ(one.kv_cache_batch, 0);
  // Seven more: 16 tokens of a picture, 256 of a question, 1,024 of an answer, in whole blocks.
  EXPECT_EQ(eight.kv_cache_batch, 7 * 6 * kKvBlock * one.kv_cache_per_token);
  EXPECT_EQ(eight.total() - one.total(), eight.kv_cache_batch);
  EXPECT_EQ(plans(bf16_, 8).at(Place::Gpus).kv_cache_batch, eight.kv_cache_batch);
  config_.language.context = 512;  // none can be longer
  EXPECT_EQ(plans(bf16_, 3).at(Place::Host).kv_cache_batch, 2 * 512 * one.kv_cache_per_token);
}

// What nobody asked for is no reason to refuse a model.
TEST_F(MemoryPlansTest, WhereItIsLeftOpenABatchIsAsLargeAsFits) {
  const auto batch = [&](int64_t limit) { return plans(bf16_, 0).fitting(Place::Host, limit).max_batch; };
  for (const int64_t fits : {1, 2, 7, 8}) EXPECT_EQ(batch(plans(bf16_, fits).at(Place::Host).total()), fits);
  EXPECT_EQ(batch(plans(bf16_, 100).at(Place::Host).total()), MemoryPlans::kMostUnasked);
  EXPECT_EQ(batch(1000), 1);
  EXPECT_NO_THROW(plans(bf16_, 0).require_fit(Place::Host, plans(bf16_, 1).at(Place::Host).total()));
  EXPECT_EQ(plans(bf16_, 3).fitting(Place::Host, 1000).max_batch, 3);
}

TEST_F(MemoryPlansTest, WhatFitsNeedsNoAdvice) {
  const MemoryPlans all = plans(bf16_, 8);
  EXPECT_EQ(all.advice(Place::Host, all.at(Place::Host).total()), "");
  EXPECT_NO_THROW(all.require_fit(Place::Host, all.at(Place::Host).total()));
}

TEST_F(MemoryPlansTest, TheSmallestChangeComesFirst) {
  const int64_t limit = plans(bf16_, 5).at(Place::Host).total();
  const std::string advice = plans(bf16_, 8).advice(Place::Host, limit);
  EXPECT_EQ(advice.find("it fits with batches of 5, or with a context length of "), 0u) << advice;
  EXPECT_NE(advice.find(", or in precision int8"), std::string::npos) << advice;
  const std::string alone = plans(bf16_, 2).advice(Place::Host, plans(bf16_, 1).at(Place::Host).total());
  EXPECT_EQ(alone.find("it fits with one request at a time, or "), 0u) << alone;
}

TEST_F(MemoryPlansTest, AContextIsTheLongestThatFits) {
  const std::string advice = plans(bf16_, 1).advice(Place::Host, total(bf16_, 2048 + 100));
  EXPECT_EQ(advice.find("it fits with a context length of 2048, or in precision int8"), 0u) << advice;
  const std::string both = plans(bf16_, 8).advice(Place::Host, total(bf16_, 1024));
  EXPECT_EQ(both.find("it fits with a context length of 1024 and with one request at a time"), 0u) << both;
}

TEST_F(MemoryPlansTest, Int8MayNeedMore) {
  constexpr auto kInt8 = WeightFormat::Int8;
  const Precision decoder{DType::BF16, {kInt8, kInt8}}, both{DType::BF16, {kInt8, kInt8, kInt8}};
  const std::string vision = plans(bf16_, 1).advice(Place::Gpus, plans(both, 1).at(Place::Gpus).total());
  EXPECT_NE(vision.find("in precision int8 and with a context length of "), std::string::npos) << vision;
  const std::string further = plans(decoder, 1).advice(Place::Gpus, plans(both, 1).at(Place::Gpus).total());
  EXPECT_NE(further.find("with the vision tower in int8 too"), std::string::npos) << further;
  EXPECT_EQ(plans(both, 1).advice(Place::Host, 1000), "no smaller setting makes it fit");
}

TEST_F(MemoryPlansTest, MappedWeightsNeedNotFit) {
  const MemoryPlan plan = plans(bf16_, 1).at(Place::Host);
  const std::string advice = plans(bf16_, 1).advice(Place::Host, plan.total() - plan.weights_mapped);
  EXPECT_NE(advice.find(cat("with a memory limit of ", plan.total(), " bytes (or -1: none) it runs as it is, but slowly")),
            std::string::npos)
      << advice;
  EXPECT_EQ(plans(bf16_, 1).advice(Place::Host, plan.total() - plan.weights_mapped - 1).find("slowly"), std::string::npos);
  EXPECT_EQ(plans(bf16_, 1, false).advice(Place::Host, plan.total() - 1).find("slowly"), std::string::npos);
  EXPECT_EQ(plans(bf16_, 1).advice(Place::Gpus, plan.total() / 2).find("slowly"), std::string::npos);
}

TEST_F(MemoryPlansTest, TheErrorHasPartsAndAdvice) {
  const MemoryPlans all = plans(bf16_, 8);
  checkpoint_test::expect_error(
      Status::OutOfMemory,
      {"the model needs ", "KV cache ", "further requests of a batch ", "MiB are available; it fits with batches of "},
      [&] { all.require_fit(Place::Host, all.at(Place::Host).total() - 1); });
}

// What is advised is accepted.
TEST_F(MemoryPlansTest, LoadingKeepsToThem) {
  LoadOptions options;
  options.max_batch = 8;
  options.memory_limit = plans(bf16_, 4).at(Place::Host).total();
  const auto open = [&] { ModelLoader::open(testing::always(nullptr), oracle_.folder(), options); };
  checkpoint_test::expect_error(Status::OutOfMemory, {"it fits with batches of 4"}, open);
  options.max_batch = -1;
  checkpoint_test::expect_error(Status::InvalidArgument, {"max_batch is -1"}, open);
}

}  // namespace
}  // namespace ivl
