#include "attention.h"

#include "tests/digests.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Case {
  const char* name;
  int heads;
  int kv_heads;
  int head_dim;
  bool causal;
  int padding;                             // elements between the rows of q and out
  std::vector<std::pair<int, int>> spans;  // tokens, past
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"vision of 1025 tokens", 1, 1, 128, false, 0, {{1025, 0}}},
      {"two pictures", 2, 2, 64, false, 16, {{65, 0}, {65, 0}}},
      {"small heads", 4, 2, 32, false, 8, {{70, 0}, {33, 0}}},
      {"decode with small heads", 4, 2, 32, true, 0, {{1, 300}, {40, 3}}},
      {"heads of 96", 3, 3, 96, false, 8, {{70, 0}, {33, 0}}},
      {"prompts with heads of 96", 4, 2, 96, true, 0, {{40, 300}, {3, 0}}},
      {"decode with heads of 96", 3, 3, 96, true, 0, {{1, 300}, {1, 0}}},
      {"one token, one key", 7, 1, 128, true, 0, {{1, 0}}},
      {"prompt, 7 heads a group", 7, 1, 128, true, 8, {{45, 0}}},
      {"prompt, 8 heads a group, behind a past", 8, 1, 64, true, 0, {{33, 255}}},
      {"ragged prompts", 4, 2, 64, true, 0, {{40, 0}, {3, 300}, {17, 1}}},
      {"decode, 7 heads a group, past 255", 14, 2, 128, true, 0, {{1, 255}}},
      {"decode, past 256", 8, 1, 128, true, 0, {{1, 256}}},
      {"decode, past 4095", 7, 1, 128, true, 0, {{1, 4095}}},
      {"decode of three sequences", 4, 2, 64, true, 24, {{1, 0}, {1, 700}, {2, 31}}},
  };
  return all;
}

// Queries, keys and values of one span, on the host.
template <class T>
struct Inputs {
  std::vector<T> q;  // (tokens, heads * D)
  std::vector<T> k;  // (kv heads, keys, D)
  std::vector<T> v;
};

template <class T>
Inputs<T> random_inputs(const Case& c, int tokens, int past, uint64_t seed, double scale) {
  const auto d = static_cast<size_t>(c.head_dim);
  const auto keys = static_cast<size_t>(past + tokens);
  return {random_values<T>(static_cast<size_t>(tokens * c.heads) * d, seed, scale),
          random_values<T>(static_cast<size_t>(c.kv_heads) * keys * d, seed + 1, scale),
          random_values<T>(static_cast<size_t>(c.kv_heads) * keys * d, seed + 2)};
}

// The spans of a launch with everything in device memory; padding is never written.
template <class T>
class Launch {
 public:
  Launch(const Case& c, const std::vector<Inputs<T>>& inputs, const std::vector<std::pair<int, int>>& sizes)
      : case_(c), sizes_(sizes) {
    for (size_t i = 0; i < inputs.size(); i++) {
      const auto [tokens, past] = sizes[i];
      const int width = c.heads * c.head_dim;
      const int stride = width + c.padding;
      q_.push_back(std::make_unique<DeviceArray<T>>(static_cast<size_t>(tokens * stride)));
      out_.push_back(std::make_unique<DeviceArray<T>>(static_cast<size_t>(tokens * stride)));
      k_.push_back(std::make_unique<DeviceArray<T>>(in_layer(inputs[i].k)));
      v_.push_back(std::make_unique<DeviceArray<T>>(in_layer(inputs[i].v)));
      for (int token = 0; token < tokens; token++) {
        q_[i]->write(static_cast<size_t>(token * stride), {inputs[i].q.data() + token * width, static_cast<size_t>(width)});
      }
      digests_.push_back(std::make_unique<DeviceArray<gpu::Digest>>(static_cast<size_t>(tokens * width / gpu::kDigestColumns)));
      spans_.push_back({q_[i]->data(), out_[i]->data(), k_[i]->data(), v_[i]->data(), stride, stride, c.head_dim,
                        static_cast<int64_t>(past + tokens) * c.head_dim, static_cast<int64_t>(inputs[i].k.size()), tokens, past,
                        digests_[i]->data()});
      most_tokens_ = std::max(most_tokens_, tokens);
      most_keys_ = std::max(most_keys_, past + tokens);
    }
  }

  cudaError_t run() {
    const gpu::AttentionShape shape{case_.heads, case_.kv_heads, case_.head_dim, kLayer, case_.causal, scale()};
    const DeviceArray<gpu::AttentionSpan<T>> spans(spans_);
    const DeviceArray<float> workspace(gpu::attention_workspace(shape, static_cast<int>(spans_.size()), most_keys_));
    return gpu::attention<T>(spans.data(), static_cast<int>(spans_.size()), shape, most_tokens_, most_keys_, workspace.data(),
                             nullptr);
  }

  static constexpr int kLayer = 1;
  // A cache of two layers, whose first holds what nobody should read.
  static std::vector<T> in_layer(const std::vector<T>& values) {
    std::vector<T> cache(2 * values.size(), gpu::from_float<T>(NAN));
    std::copy(values.begin(), values.end(), cache.begin() + static_cast<std::ptrdiff_t>(values.size()));
    return cache;
  }

  float scale() const { return 1 / std::sqrt(static_cast<float>(case_.head_dim)); }

  // (tokens, heads * D) of span i
  std::vector<T> out(size_t i) const {
    const std::vector<T> all = out_[i]->read();
    const int width = case_.heads * case_.head_dim;
    std::vector<T> rows;
    for (int token = 0; token < sizes_[i].first; token++) {
      const auto at = all.begin() + token * (width + case_.padding);
      rows.insert(rows.end(), at, at + width);
    }
    return rows;
  }
  std::vector<gpu::Digest> digests(size_t i) const { return digests_[i]->read(); }

 private:
  Case case_;
  std::vector<std::pair<int, int>> sizes_;
  std::vector<std::unique_ptr<DeviceArray<T>>> q_, out_, k_, v_;
  std::vector<std::unique_ptr<DeviceArray<gpu::Digest>>> digests_;
  std::vector<gpu::AttentionSpan<T>> spans_;
  int most_tokens_ = 0;
  int most_keys_ = 0;
};

// softmax(q k^T / sqrt D) v of one token and head in float64.
template <class T>
std::vector<double> reference(const Case& c, const Inputs<T>& in, int tokens, int past, int token, int head) {
  const auto d = static_cast<size_t>(c.head_dim);
  const auto keys = static_cast<size_t>(past + tokens);
  const size_t seen = c.causal ? static_cast<size_t>(past + token + 1) : keys;
  const size_t kv = static_cast<size_t>(head / (c.heads / c.kv_heads)) * keys * d;
  const T* q = in.q.data() + static_cast<size_t>(token * c.heads + head) * d;
  std::vector<double> weights(seen);
  double largest = -INFINITY;
  for (size_t key = 0; key < seen; key++) {
    double score = 0;
    for (size_t i = 0; i < d; i++) {
      score += double(gpu::to_float(q[i])) * gpu::to_float(in.k[kv + key * d + i]);
    }
    weights[key] = score / std::sqrt(static_cast<double>(d));
    largest = std::max(largest, weights[key]);
  }
  double sum = 0;
  for (double& weight : weights) {
    weight = std::exp(weight - largest);
    sum += weight;
  }
  std::vector<double> out(d);
  for (size_t key = 0; key < seen; key++) {
    for (size_t i = 0; i < d; i++) {
      out[i] += weights[key] / sum * gpu::to_float(in.v[kv + key * d + i]);
    }
  }
  return out;
}

template <class T>
class Attention : public testing::Test {
 protected:
  // Weights are rounded once and the result once, each value of v being of order 1.
  static constexpr double kBound = 4 * kRounding<T>;

  static void check(const Case& c, double scale) {
    SCOPED_TRACE(c.name);
    std::vector<Inputs<T>> inputs;
    for (size_t i = 0; i < c.spans.size(); i++) {
      inputs.push_back(random_inputs<T>(c, c.spans[i].first, c.spans[i].second, 10 * i, scale));
    }
    Launch<T> launch(c, inputs, c.spans);
    ASSERT_EQ(launch.run(), cudaSuccess);
    ASSERT_EQ(reported(), "");
    for (size_t i = 0; i < c.spans.size(); i++) {
      const auto [tokens, past] = c.spans[i];
      const std::vector<double> out = exact(launch.out(i));
      for (int token = 0; token < tokens; token += std::max(1, tokens / 9)) {
        for (int head = 0; head < c.heads; head++) {
          const std::vector<double> expected = reference(c, inputs[i], tokens, past, token, head);
          for (int e = 0; e < c.head_dim; e++) {
            ASSERT_NEAR(out[static_cast<size_t>((token * c.heads + head) * c.head_dim + e)], expected[static_cast<size_t>(e)],
                        kBound)
                << "span " << i << ", token " << token << ", head " << head << ", element " << e;
          }
        }
      }
    }
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(Attention, Types);

TYPED_TEST(Attention, IsItsDefinition) {
  for (const Case& c : cases()) {
    this->check(c, 1);
  }
}

#if !defined(GPU_EMULATED)
TYPED_TEST(Attention, AtTheModelsSizes) {
  for (const Case& c : {Case{"a picture in InternViT-6B", 25, 25, 128, false, 0, {{1025, 0}}},
                        {"a prompt in Yi-34B", 56, 8, 128, true, 0, {{1025, 0}}},
                        {"a prompt in Phi-3-mini", 32, 32, 96, true, 0, {{1025, 0}}},
                        {"decode in Phi-3-mini, past 4095", 32, 32, 96, true, 0, {{1, 4095}}},
                        {"a later round in Yi-34B", 56, 8, 128, true, 0, {{320, 777}}},
                        {"decode in Yi-34B, past 4095", 56, 8, 128, true, 0, {{1, 4095}}},
                        {"decode of conversations in Yi-34B", 56, 8, 128, true, 0, {{1, 0}, {1, 255}, {1, 1000}, {1, 4095}}}}) {
    this->check(c, 1);
  }
}
#endif

TYPED_TEST(Attention, LargeAndEqualScores) {
  const Case prompt{"prompt", 2, 1, 64, true, 0, {{40, 3}}};
  this->check(prompt, 30);  // scores in the thousands
  this->check(prompt, 0);   // all keys weigh the same
}

// A token's result is the same bits in a prompt, decoded behind a cache, and beside other sequences.
template <class T>
void expect_agreement(const Case& c) {
  constexpr int kTokens = 600;
  const auto whole = random_inputs<T>(c, kTokens, 0, 7, 1);
  Launch<T> prompt(c, {whole}, {{kTokens, 0}});
  ASSERT_EQ(prompt.run(), cudaSuccess);
  const std::vector<T> in_prompt = prompt.out(0);
  const int width = c.heads * c.head_dim;
  for (int token : {0, 1, 31, 255, 256, 511, 599}) {
    Inputs<T> one = whole;
    one.q = {whole.q.begin() + token * width, whole.q.begin() + (token + 1) * width};
    one.k.resize(static_cast<size_t>((token + 1) * c.head_dim));
    one.v.resize(static_cast<size_t>((token + 1) * c.head_dim));
    Launch<T> alone(c, {one}, {{1, token}});
    Launch<T> beside(c, {random_inputs<T>(c, 2, 700, 8, 1), one}, {{2, 700}, {1, token}});
    ASSERT_EQ(alone.run(), cudaSuccess);
    ASSERT_EQ(beside.run(), cudaSuccess);
    for (int e = 0; e < width; e++) {
      ASSERT_EQ(alone.out(0)[e].bits, in_prompt[static_cast<size_t>(token * width + e)].bits) << token;
      ASSERT_EQ(beside.out(1)[e].bits, alone.out(0)[e].bits) << token;
    }
  }
  EXPECT_EQ(reported(), "");
}

TYPED_TEST(Attention, PromptDecodeAndBatchAgreeBitwise) {
  expect_agreement<TypeParam>({"", 7, 1, 64, true, 0, {}});
  expect_agreement<TypeParam>({"", 2, 1, 96, true, 0, {}});
}

TEST(AttentionShape, OtherHeadSizesAreRefused) {
  const gpu::AttentionShape shape{1, 1, 80, 0, true, 1};
  EXPECT_EQ(gpu::attention<gpu::bf16>(nullptr, 1, shape, 1, 1, nullptr, nullptr), cudaErrorInvalidValue);
}

// Values of the keys that are large enough for outliers among the results.
TYPED_TEST(Attention, StepsLeaveTheDigestsOfTheirRows) {
  for (const Case& c : {Case{"", 14, 2, 128, true, 8, {{1, 255}, {2, 3}}},
                        {"", 4, 2, 64, true, 0, {{1, 300}}},
                        {"", 2, 1, 32, true, 0, {{1, 0}, {3, 7}}},
                        {"", 3, 3, 96, true, 0, {{1, 40}, {1, 300}}}}) {
    std::vector<Inputs<TypeParam>> inputs;
    for (const auto& [tokens, past] : c.spans) {
      inputs.push_back(random_inputs<TypeParam>(c, tokens, past, 5, 1));
      for (TypeParam& value : inputs.back().v) {
        value = gpu::from_float<TypeParam>(30 * gpu::to_float(value));
      }
    }
    Launch<TypeParam> launch(c, inputs, c.spans);
    ASSERT_EQ(launch.run(), cudaSuccess);
    EXPECT_EQ(reported(), "");
    for (size_t i = 0; i < inputs.size(); i++) {
      EXPECT_EQ(launch.digests(i), digests_of(launch.out(i))) << c.head_dim << ", span " << i;
    }
  }
}

}  // namespace
