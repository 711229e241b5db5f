#include "grammar/numbers.h"

#include <algorithm>

namespace ivl::grammar {
namespace {

constexpr size_t kMostExponentDigits = 2;

enum class Phase { Start, Sign, Zero, Whole, Point, Fraction, Exponent, ExponentSign, ExponentDigits };

// What was read of a number, and how it compares with the two bounds so far: -1, 0, 1.
struct Read {
  Phase phase = Phase::Start;
  bool negative = false;
  size_t digits = 0;  // of the whole, the fraction or the exponent
  int least = 0, most = 0;
  auto operator<=>(const Read&) const = default;
};

// Bounds of a magnitude.
struct Magnitudes {
  bool none = false;
  std::optional<Bound> least = {}, most = {};
};

// Of numbers with this sign.
Magnitudes magnitudes(bool negative, const std::optional<Bound>& least, const std::optional<Bound>& most) {
  const std::optional<Bound>& near = negative ? most : least;  // the one on zero's side
  const std::optional<Bound>& far = negative ? least : most;
  const auto zero = [](const Bound& bound) { return bound.at.whole == "0" && bound.at.fraction.empty(); };
  const auto same_side = [&](const Bound& bound) { return zero(bound) || bound.at.negative == negative; };
  Magnitudes bounds;
  if (near && same_side(*near)) bounds.least = near;
  if (far && same_side(*far)) bounds.most = far;
  bounds.none = far && !same_side(*far);
  return bounds;
}

class Numbers {
 public:
  Numbers(bool whole, size_t digits, const std::optional<Bound>& least, const std::optional<Bound>& most)
      : whole_(whole),
        most_digits_(digits),
        bounded_(least || most),
        positive_(magnitudes(false, least, most)),
        negative_(magnitudes(true, least, most)) {}

  Behaviour<Read> behaviour(const Read& read) const {
    Behaviour<Read> now{ends(read)};
    if (read.phase == Phase::Sign || read.phase == Phase::Start) {
      if (read.phase == Phase::Start && !negative_.none) now.edges.push_back({'-', '-', {Phase::Sign, true}});
      if (!bounds(read).none) add_digits(now, read, Phase::Whole);
      return now;
    }
    add_point(now, read);
    if (read.phase == Phase::Whole) add_digits(now, read, Phase::Whole);
    if (read.phase == Phase::Point || read.phase == Phase::Fraction) add_digits(now, read, Phase::Fraction);
    if (!bounded_) add_exponent(now, read);
    return now;
  }

 private:
  const Magnitudes& bounds(const Read& read) const { return read.negative ? negative_ : positive_; }

  static bool in_whole(const Read& read) { return read.phase == Phase::Zero || read.phase == Phase::Whole; }

  void add_digits(Behaviour<Read>& now, const Read& read, Phase phase) const {
    if (read.digits == most_digits_) return;
    for (char digit = '0'; digit <= '9'; ++digit) {
      Read next = read;
      const bool first = phase == Phase::Whole && read.phase != Phase::Whole;
      next.phase = first && digit == '0' ? Phase::Zero : phase;
      const auto compared = [&](const std::optional<Bound>& bound, int so_far) {
        if (!bound || so_far != 0) return so_far;
        const std::string& digits = phase == Phase::Whole ? bound->at.whole : bound->at.fraction;
        if (phase == Phase::Whole && read.digits >= digits.size()) return 0;  // its length says it
        const char other = read.digits < digits.size() ? digits[read.digits] : '0';
        return (digit > other) - (digit < other);
      };
      next.least = compared(bounds(read).least, read.least);
      next.most = compared(bounds(read).most, read.most);
      next.digits = read.digits + 1;
      now.edges.push_back({static_cast<uint8_t>(digit), static_cast<uint8_t>(digit), next});
    }
  }

  // The comparison of whole digits once they have ended.
  static int whole_compared(const std::optional<Bound>& bound, int so_far, size_t digits) {
    if (!bound) return 0;
    const size_t other = bound->at.whole.size();
    return digits == other ? so_far : digits < other ? -1 : 1;
  }

  void add_point(Behaviour<Read>& now, const Read& read) const {
    if (whole_ || !in_whole(read)) return;
    Read next = read;
    next.phase = Phase::Point;
    next.least = whole_compared(bounds(read).least, read.least, read.digits);
    next.most = whole_compared(bounds(read).most, read.most, read.digits);
    next.digits = 0;
    now.edges.push_back({'.', '.', next});
  }

  void add_exponent(Behaviour<Read>& now, const Read& read) const {
    const bool begun = read.phase == Phase::ExponentDigits;
    const auto add = [&](char first, char last, Phase phase) {
      const size_t digits = phase != Phase::ExponentDigits ? 0 : begun ? read.digits + 1 : 1;
      now.edges.push_back({static_cast<uint8_t>(first), static_cast<uint8_t>(last), {.phase = phase, .digits = digits}});
    };
    if (!whole_ && (in_whole(read) || read.phase == Phase::Fraction))
      add('E', 'E', Phase::Exponent), add('e', 'e', Phase::Exponent);
    if (read.phase == Phase::Exponent) add('+', '+', Phase::ExponentSign), add('-', '-', Phase::ExponentSign);
    if (read.phase >= Phase::Exponent && !(begun && read.digits == kMostExponentDigits)) add('0', '9', Phase::ExponentDigits);
  }

  // Where the number's magnitude and the bound's are compared for good.
  static int compared(const std::optional<Bound>& bound, int so_far, const Read& read) {
    if (in_whole(read)) {
      const int whole = whole_compared(bound, so_far, read.digits);
      return whole == 0 && !bound->at.fraction.empty() ? -1 : whole;
    }
    return so_far == 0 && read.digits < bound->at.fraction.size() ? -1 : so_far;
  }

  bool ends(const Read& read) const {
    if (read.phase == Phase::ExponentDigits) return true;
    if (!in_whole(read) && read.phase != Phase::Fraction) return false;
    const Magnitudes& between = bounds(read);
    const auto inside = [&](const std::optional<Bound>& bound, int so_far, int side) {
      if (!bound) return true;
      const int result = compared(bound, so_far, read) * side;
      return bound->exclusive ? result > 0 : result >= 0;
    };
    return inside(between.least, read.least, 1) && inside(between.most, read.most, -1);
  }

  bool whole_;
  size_t most_digits_;
  bool bounded_;
  Magnitudes positive_, negative_;
};

}  // namespace

Decimal Decimal::of(const nlohmann::json& number) {
  std::string text = number.dump();  // the shortest that is read as the same number
  Decimal decimal;
  decimal.negative = text[0] == '-';
  if (decimal.negative) text.erase(0, 1);
  const size_t e = text.find('e');
  const long exponent = e == text.npos ? 0 : std::stol(text.substr(e + 1));
  text.resize(std::min(e, text.size()));
  const size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point) + (point < text.size() ? text.substr(point + 1) : "");
  long before = static_cast<long>(point) + exponent;  // the point
  if (before < 1) digits.insert(0, static_cast<size_t>(1 - before), '0'), before = 1;
  if (before > static_cast<long>(digits.size())) digits.resize(static_cast<size_t>(before), '0');
  decimal.whole = digits.substr(0, static_cast<size_t>(before));
  decimal.fraction = digits.substr(static_cast<size_t>(before));
  while (decimal.whole.size() > 1 && decimal.whole[0] == '0') decimal.whole.erase(0, 1);
  while (!decimal.fraction.empty() && decimal.fraction.back() == '0') decimal.fraction.pop_back();
  return decimal;
}

Dfa numbers(bool whole, size_t digits, const std::optional<Bound>& least, const std::optional<Bound>& most, Budget& budget) {
  const Numbers made(whole, digits, least, most);
  return explore(Read{}, budget, [&](const Read& read) {
    Behaviour<Read> now = made.behaviour(read);
    std::sort(now.edges.begin(), now.edges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return now;
  });
}

}  // namespace ivl::grammar
