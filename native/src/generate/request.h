// One prompt on its way to an answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generate/features.h"
#include "generate/kv_sequence.h"
#include "generate/prompt_lookup.h"
#include "generate/sampler.h"
#include "grammar/matcher.h"
#include "model/recording.h"

namespace ivl {

enum class Finish { None, Stop, Length, Cancelled, Failed };

struct Prompt {
  std::vector<int32_t> tokens;
  int32_t image_token = -1;
  std::vector<std::shared_ptr<Features>> features;  // in the order of the image tokens
  std::vector<int32_t> stop_tokens;
};

struct RequestOptions {
  Sampling sampling = {};
  // Not null: the activations of all its rows go there. Nothing is then taken from a cache, and no other request shares its passes.
  std::shared_ptr<Recording> recording = {};
  std::vector<AdapterChoice> adapters = {};  // that all its rows take
  // What was computed under one salt serves only others of the same.
  std::string salt = {};
  int32_t priority = 0;      // larger numbers come first; among equals, who came first
  bool logits = false;       // of each token are wanted
  int32_t most_guessed = 0;  // tokens that are guessed at once (scheduler.h); the answer is the same with any number
  bool guided = false;       // each token waits for allow(), which says what it may be
  // Not null: what the whole answer is. Its tokens then are neither guided nor guessed.
  std::shared_ptr<const grammar::Rules> rules = {};
};

class Request {
 public:
  // Checks the prompt against the model, which must be that of all it comes with.
  Request(const Engine& engine, Prompt prompt, RequestOptions options);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const RequestOptions& options() const { return options_; }
  // What its adapters and its salt part in a cache.
  const std::string& cache_root() const { return cache_root_; }
  // Positions that it may come to need.
  int64_t most_positions() const;

  // ---- its cache, which it has while it takes part in passes
  bool attached() const { return cache_.has_value(); }
  // Blocks that it would take from the pool for the rows that it has now.
  int64_t wanted_blocks(KvPool& pool) const;
  // How many of the first positions are the same as in another request of the same salt and adapters.
  int64_t common_with(const Request& other) const;
  // Positions that are computed.
  int64_t computed() const { return cache_ ? cache_->length() : 0; }
  // Takes what the pool knows of it. The last token is always computed: its logits are what the next one comes from.
  void attach(const Engine::Turn& turn, KvPool& pool);
  bool reserve(const Engine::Turn& turn, int64_t rows) { return cache_->reserve(turn, cache_->length() + rows); }
  // Gives it back; what was computed can be found for a while.
  void detach() { cache_.reset(); }
  int64_t tokens() const { return static_cast<int64_t>(tokens_.size()); }
  int64_t prompt_tokens() const { return static_cast<int64_t>(prompt_size_); }
  // Those of the tokens [begin, end) that no picture stands for.
  void append_text(std::vector<int32_t>& out, int64_t begin, int64_t end) const;
  // Tokens of the prompt that were in the cache at first.
  int64_t reused() const { return reused_.value_or(0); }

  // ---- its rows
  // Tokens known but not yet in the cache.
  int64_t pending() const { return tokens() - cache_->length(); }
  // Those of them before the first picture that is not encoded; without the last, if that waits for allow().
  int64_t ready() const;
  // Of a guided request: which tokens may come next.
  void allow(TokenMask mask) { allowed_ = std::move(mask); }
  // Those pictures that it waits for.
  std::vector<std::shared_ptr<Features>> awaited() const;
  // Tokens that may be guessed now.
  size_t most_guessed() const;
  // Tokens that may follow the last one. See PromptLookup.
  std::vector<int32_t> guess(double row_cost);
  void judge(size_t guessed, size_t right) { lookup_.judge(guessed, right); }
  // The next `rows` pending tokens, and `guessed` behind the last of them, as the next rows of a batch.
  void append_to(std::vector<int32_t>& ids, std::vector<Splice>& splices, std::vector<SequenceSpan>& spans, int64_t rows,
                 std::span<const int32_t> guessed) const;
  // The batch with those rows was computed.
  void advance(int64_t rows);
  // How the token behind the answer's tokens and these is to be drawn. `answer` is memory for both, where there are some of these; it
  // and this request stay as they are until the draw is done.
  Draw draw(std::span<const int32_t> guessed, std::vector<int32_t>& answer) const;
  // Takes what was drawn; says whether the answer ends with it. An Error is this request's failure.
  Finish accept(const Sampled& sampled);

 private:
  struct PictureRun {  // positions [begin, begin + rows) of the prompt are rows [from, from + rows) of the features
    int64_t begin, rows, from;
    std::shared_ptr<Features> features;
  };

  void check_owner(const Prompt& prompt) const;
  void check_prompt(const Prompt& prompt) const;
  void check_rules() const;
  void place_pictures(const Prompt& prompt);
  void add_key(PositionKey key);
  bool is_stop(int32_t token) const;
  bool waits_for_mask() const { return options_.guided && allowed_ == nullptr; }
  std::span<const PositionKey> cached_keys() const;

  const Engine& engine_;
  RequestOptions options_;
  AdapterChoices adapters_;
  std::string cache_root_;
  std::vector<int32_t> tokens_;  // prompt and answer
  std::vector<PositionKey> keys_;
  std::vector<PictureRun> pictures_;
  size_t prompt_size_ = 0;
  std::optional<int64_t> reused_;
  Sampler sampler_;
  PromptLookup lookup_;
  std::unique_ptr<grammar::Matcher> matcher_;  // of the rules, if there are any
  TokenMask allowed_;                          // of the next token, once it is known
  std::optional<KvSequence> cache_;
};

}  // namespace ivl
