// Guesses at the tokens to come, from what stood behind the same few tokens before: in the prompt, its history and the answer itself. An
// answer that quotes its prompt is guessed for long stretches.
//
// A guess costs rows of a pass and changes nothing else: what is wrong is thrown away.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace ivl {

class PromptLookup {
 public:
  // At most so many tokens are guessed at once; 0: none ever.
  explicit PromptLookup(int32_t most) : most_(most) {}

  // What may follow `tokens`, which only grow from call to call. `row_cost` is what another row of a pass costs, as a part of what a pass
  // for one token does.
  std::vector<int32_t> guess(std::span<const int32_t> tokens, double row_cost);
  // How many of the guessed tokens came true.
  void judge(size_t guessed, size_t right);

 private:
  static constexpr size_t kLength = 3;  // of what is looked up
  static uint64_t key_of(std::span<const int32_t> tokens, size_t end);
  void learn(std::span<const int32_t> tokens);

  int32_t most_;
  std::unordered_map<uint64_t, size_t> last_;  // where such tokens ended, by their hash
  size_t learnt_ = 0;                          // tokens
  double right_ = 0.6;                         // of guesses, lately
  int64_t silent_ = 0;                         // calls since the last guess
};

}  // namespace ivl
