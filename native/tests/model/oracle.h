// The small checkpoints of test-data with what the original model computes on them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "generate/request_service.h"
#include "model/model_loader.h"

namespace ivl::testing {

std::filesystem::path test_data();
// Of a case's name, what GoogleTest takes as a name: "qwen2_hf".
std::string test_name(std::string oracle);

// For a test that has its backend already.
Placer always(std::shared_ptr<Backend> backend);

struct Dialog {
  std::string name;
  std::vector<std::string> images;
  bool squares = false;  // each picture is one tile, as frames of a film are: its last, which shows all of it
  std::vector<int32_t> input_ids, greedy_tokens;
  std::map<std::string, double> bfloat16_error;
  // Of layers with experts, those of each token, the largest first; of recorded dialogs only.
  std::map<std::string, std::vector<std::vector<int32_t>>> experts;
};

class Oracle {
 public:
  explicit Oracle(const std::string& name);

  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<Dialog>& dialogs() const { return dialogs_; }
  const Dialog& dialog(const std::string& name) const;
  std::vector<float> pixels(const Dialog& dialog) const;
  int32_t image_token() const { return image_token_; }
  // Rows of logits, of the answer's first token on: of all its tokens, or in a trimmed folder of its first ones.
  std::vector<float> greedy_logits(const Dialog& dialog) const;
  // Relative, of all rows, or in a trimmed folder (scripts/goldens/trim_oracle.py) of the rows that are there.
  double activation_error(const std::string& name, const std::vector<float>& actual) const;

  std::shared_ptr<Engine> load(std::shared_ptr<Backend> backend, DType precision) const;
  std::shared_ptr<Engine> load(const Placer& placer, DType precision) const;
  // The decoder in int8, and the rest of the model too if `vision`.
  std::shared_ptr<Engine> load_int8(std::shared_ptr<Backend> backend, bool vision) const;
  std::shared_ptr<Engine> load(const Placer& placer, const LoadOptions& options) const;

  // The dialog's prompt, its pictures encoded.
  Prompt prompt(Engine& engine, const Dialog& dialog, Recorder* recorder = nullptr) const;

 private:
  std::filesystem::path folder_;
  SafetensorsFile pixels_, activations_;
  std::vector<Dialog> dialogs_;
  int32_t image_token_, stop_token_;
};

// The one that tests of requests have, read once.
const Oracle& hermes();

Sampling greedy(size_t tokens);

// What became of a request.
struct Answer {
  std::vector<int32_t> tokens;
  std::vector<std::vector<float>> logits;  // that each token was drawn from
  std::vector<std::vector<TokenLogprob>> top;
  Finish finish = Finish::None;
  std::optional<Error> failure;
  int64_t reused = 0;
};

// Requests of one scheduler, turn by turn in the calling thread. They are numbered 0, 1, 2, ...
class Requests {
 public:
  // With the engine's own number of blocks where `options` has none.
  explicit Requests(const std::shared_ptr<Engine>& engine, SchedulerOptions options = {.kv_blocks = 0});

  int64_t add(Prompt prompt, const Sampling& sampling, RequestOptions options = {});
  void cancel(int64_t request) { scheduler_.cancel(request); }
  // Events are also added to the answers.
  std::vector<Event> turn(const std::atomic<bool>* abort = nullptr);
  // Until nothing is left to do.
  void run();
  const Answer& of(int64_t request) const { return answers_.at(static_cast<size_t>(request)); }
  const std::vector<Answer>& answers() const { return answers_; }
  // Adds one and runs; what it fails with is thrown.
  Answer answer(Prompt prompt, const Sampling& sampling, RequestOptions options = {});
  Scheduler& scheduler() { return scheduler_; }

 private:
  std::shared_ptr<Engine> engine_;
  Scheduler scheduler_;
  std::vector<Answer> answers_;
};

// Of a request alone, over a cache of its own. What it fails with is thrown.
Answer answer(const std::shared_ptr<Engine>& engine, Prompt prompt, const Sampling& sampling, RequestOptions options = {});

double relative_error(const std::vector<float>& actual, const std::vector<float>& expected);

// Of the logits behind a dialog's prompt, against the original's in f32.
double logits_error(const Oracle& oracle, const std::shared_ptr<Engine>& engine, const Dialog& dialog);

// Every activation of one dialog with two pictures: in f32 within the rounding of another order of sums, in 16-bit types by
// FlashAttention's rule, at most twice the error of PyTorch in bfloat16.
void expect_activations(const Oracle& oracle, const std::shared_ptr<Engine>& engine, DType precision);

}  // namespace ivl::testing
