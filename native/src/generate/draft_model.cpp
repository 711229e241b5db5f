#include "generate/draft_model.h"

#include <chrono>
#include <list>

namespace ivl {
namespace {

// Of a pass's time: what reading may take beside answers that wait for their next tokens.
constexpr double kShare = 0.25;

}  // namespace

DraftModel::DraftModel(std::shared_ptr<Engine> engine, const Pace& pass)
    : engine_(std::move(engine)), pool_(engine_, engine_->kv_blocks()), pace_(pass.part(kShare)) {}

std::unique_ptr<DraftSequence> DraftModel::sequence(const Request& request) {
  return std::make_unique<DraftSequence>(*engine_, pool_, request, acceptance_);
}

void DraftModel::judge(DraftSequence& sequence, size_t drafted, size_t right) {
  sequence.judge(drafted, right);
  acceptance_.judge(drafted, right);
}

void DraftModel::draft(std::span<const Wish> wishes, const std::atomic<bool>* abort) {
  std::vector<Wish> open(wishes.begin(), wishes.end());
  const auto fail_open = [&] {
    for (const Wish& wish : open) fail(*wish.sequence);
  };
  try {
    const Engine::Access model(*engine_);
    std::erase_if(open, [&](const Wish& wish) { return !wish.sequence->reserve(model, wish.tokens); });
    while (!open.empty()) {
      pass(model, open, engine_->cancellation(abort));
      std::erase_if(open, [](const Wish& wish) {
        const size_t drafted = wish.sequence->drafted().size();
        return drafted == 0 || drafted == wish.tokens;  // it still reads, or has failed; or it is done
      });
    }
  } catch (const Error& error) {
    if (error.status() != Status::Cancelled) fail_open();  // that comes before the model's own pass, which will find out, too
  } catch (const std::bad_alloc&) {
    fail_open();
  }
}

// The next rows of all of them, and one more drafted token for those that have none pending behind that.
void DraftModel::pass(const Engine::Access& model, std::span<const Wish> wishes, const Cancellation& cancel) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<int32_t> ids, logit_rows;
  std::vector<SequenceSpan> spans;
  std::vector<Draw> draws;
  std::list<std::vector<int32_t>> answers;  // which the draws look at
  const auto tokens = static_cast<int64_t>(wishes.size());
  int64_t room = pace_.rows_beside(kChunkRows - tokens);
  std::vector<int64_t> rows;
  for (const Wish& wish : wishes) {
    rows.push_back(std::min(wish.sequence->pending(), 1 + room));
    room -= rows.back() - 1;
    wish.sequence->append_to(ids, spans, rows.back());
    if (rows.back() < wish.sequence->pending()) continue;
    logit_rows.push_back(static_cast<int32_t>(ids.size()) - 1);
    draws.push_back(wish.request->draw(wish.sequence->drafted(), answers.emplace_back()));
    draws.back().top_logprobs = 0;
  }
  const Logits logits = model->decode({ids, {}, spans, logit_rows}, nullptr, cancel);
  std::vector<Sampled> sampled;
  if (!draws.empty()) sampled = logits.backend->sample(logits.matrix, draws);
  for (size_t i = 0, drawn = 0; i < wishes.size(); ++i) {
    DraftSequence& sequence = *wishes[i].sequence;
    sequence.advance(rows[i]);
    if (sequence.pending() > 0) continue;
    const Sampled& next = sampled[drawn++];
    if (next.failure) {
      fail(sequence);
    } else {
      sequence.add(next.token);
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  pace_.took(static_cast<int64_t>(ids.size()) - tokens, seconds.count());
}

void DraftModel::fail(DraftSequence& sequence) {
  sequence.give_up();
  ++failures_;
}

}  // namespace ivl
