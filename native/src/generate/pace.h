// How long passes take, as far as it was measured, and what therefore fits beside answers that run. It decides when something is
// computed, never what.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ivl {

class Pace {
 public:
  // A pass should take at most so many seconds while answers wait for their next tokens. Where `rows` is given, so many rows of prompts
  // fit beside tokens, whatever the clock says.
  explicit Pace(double budget, std::optional<int64_t> rows = {}) : budget_(budget), rows_(rows) {}

  double budget() const { return budget_; }
  // For what may take a part of each pass.
  Pace part(double share) const { return Pace(share * budget_, rows_); }

  // A pass with that many rows of prompts beside its tokens took so long.
  void took(int64_t prompt_rows, double seconds) {
    if (prompt_rows == 0) {
      token_ = mean(token_, seconds);
      since_token_ = 0;
    } else {
      ++since_token_;
      row_ = mean(row_, std::max(0.0, seconds - token_) / static_cast<double>(prompt_rows));
    }
  }

  // Seconds of a pass with tokens alone; 0 as long as there was none.
  double token() const { return token_; }
  // There has been none for long, so that what is known may no longer be so.
  bool stale() const { return token_ == 0 || since_token_ >= kOften; }

  // What another row costs, as a part of what tokens alone do; nothing where that is not known.
  double row_cost() const { return token_ > 0 ? row_ / token_ : 0; }

  // Rows of prompts for a pass that has tokens, too. Where tokens alone take longer than the budget, a pass may take twice that.
  int64_t rows_beside(int64_t most) const {
    if (rows_) return std::min(most, *rows_);
    if (row_ == 0) return std::min(most, kLeast);
    const double rows = std::max(budget_ - token_, token_) / row_;
    const auto whole = static_cast<int64_t>(std::min(rows, static_cast<double>(most))) / kLeast * kLeast;
    return std::clamp(whole, std::min(kLeast, most), most);
  }

 private:
  static constexpr int64_t kLeast = 16;  // as few are no faster
  static constexpr int64_t kOften = 32;  // passes
  static double mean(double old, double now) { return old == 0 ? now : 0.75 * old + 0.25 * now; }

  double budget_;
  std::optional<int64_t> rows_;
  double token_ = 0;         // seconds of a pass with tokens alone
  double row_ = 0;           // that each row of a prompt adds
  int64_t since_token_ = 0;  // passes with other rows, too
};

}  // namespace ivl
