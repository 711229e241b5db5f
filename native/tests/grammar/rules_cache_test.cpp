#include "grammar/rules_cache.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "grammar/schema_error.h"
#include "grammar/vocabularies.h"

namespace ivl::grammar_test {
namespace {

std::string numbered(int number) { return cat(R"({"const": )", number, "}"); }

std::shared_ptr<const Vocabulary> some_tokens() {
  return std::make_shared<const Vocabulary>(std::vector<std::string>{"", "a", "1"});
}

TEST(RulesCache, ASchemaIsCompiledOnceWhileItIsAskedFor) {
  RulesCache cache(some_tokens());
  const auto first = cache.of(numbered(0));
  for (int other = 1; other < 20; ++other) {
    EXPECT_NE(cache.of(numbered(other)), first);
    EXPECT_EQ(cache.of(numbered(0)), first) << "behind " << other << " others";
  }
}

TEST(RulesCache, TheOneThatNobodyAsksForIsForgottenAndLivesWithItsUsers) {
  RulesCache cache(some_tokens());
  const std::weak_ptr<const Rules> unused = cache.of(numbered(0));
  const auto used = cache.of(numbered(1));
  for (int other = 2; other < 10; ++other) cache.of(numbered(other));
  EXPECT_TRUE(unused.expired());
  EXPECT_NE(cache.of(numbered(1)), used);
  EXPECT_EQ(used->vocabulary().size(), 3u);
}

TEST(RulesCache, ARefusedSchemaIsRefusedAgain) {
  RulesCache cache(some_tokens());
  for (int i = 0; i < 2; ++i) EXPECT_THROW(cache.of(R"({"not": {}})"), SchemaError);
}

TEST(RulesCache, ThreadsThatAskTogetherHaveTheSame) {
  RulesCache cache(some_tokens());
  std::vector<std::shared_ptr<const Rules>> found(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < found.size(); ++i)
    threads.emplace_back([&, i] { found[i] = cache.of(numbered(static_cast<int>(i % 2))); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set(found.begin(), found.end()).size(), 2u);
}

}  // namespace
}  // namespace ivl::grammar_test
