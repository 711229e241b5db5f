#include "grammar/expression.h"

#include "tensor/error.h"

namespace ivl::grammar {
namespace {

constexpr int kMostNested = 50;
constexpr uint32_t kMostRepeated = 1000;

Expression repeated(Expression part, uint32_t least, std::optional<uint32_t> most) {
  return {.kind = Expression::Kind::Repeated, .parts = {std::move(part)}, .least = least, .most = most};
}

Expression of(Characters characters) { return {.kind = Expression::Kind::Characters, .characters = std::move(characters)}; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expression whole() {
    Expression all{.kind = Expression::Kind::Alternatives};
    do {
      Expression found;
      if (!take('^')) found.parts.push_back(repeated(of(Characters::any()), 0, {}));
      found.parts.push_back(sequence());
      if (!take('$')) found.parts.push_back(repeated(of(Characters::any()), 0, {}));
      all.parts.push_back(std::move(found));
    } while (take('|'));
    if (!done()) refuse(next() == ')' ? "a ) closes no group" : "$ is done only at the end of the pattern or of its alternatives");
    return all;
  }

 private:
  bool done() const { return at_ == text_.size(); }
  char next() const { return done() ? '\0' : text_[at_]; }
  bool take(char byte) { return !done() && next() == byte && (++at_, true); }
  bool take(std::string_view bytes) { return text_.substr(at_).starts_with(bytes) && (at_ += bytes.size(), true); }

  [[noreturn]] void refuse(const char* why) const { fail(Status::Unsupported, cat(why, ", at byte ", at_)); }
  [[noreturn]] void wrong(const char* why) const {
    fail(Status::InvalidArgument, cat("it is no regular expression: ", why, ", at byte ", at_));
  }

  Expression alternatives() {
    Expression all{.kind = Expression::Kind::Alternatives};
    do all.parts.push_back(sequence());
    while (take('|'));
    return all;
  }

  Expression sequence() {
    Expression all;
    while (!done() && next() != '|' && next() != ')' && next() != '$') all.parts.push_back(repetition());
    return all;
  }

  Expression repetition() {
    Expression part = atom();
    const std::optional<Times> times = quantifier();
    if (!times) return part;
    take('?');  // which of the ways it is found matters to nobody
    if (std::string_view("*+?").find(next()) != std::string_view::npos && !done()) wrong("nothing to repeat");
    return repeated(std::move(part), times->least, times->most);
  }

  struct Times {
    uint32_t least;
    std::optional<uint32_t> most;
  };

  std::optional<Times> quantifier() {
    if (take('*')) return Times{0, {}};
    if (take('+')) return Times{1, {}};
    if (take('?')) return Times{0, 1};
    if (!take('{')) return {};
    Times times{.least = count(), .most = {}};
    const bool range = take(',');
    const bool endless = range && next() == '}';
    if (!endless) times.most = range ? count() : times.least;
    if (!take('}')) wrong("a { begins no repetition");
    if (!endless && *times.most < times.least) wrong("a repetition's numbers are out of order");
    return times;
  }

  uint32_t count() {
    if (next() < '0' || next() > '9') wrong("a { without a number");
    uint32_t number = 0;
    while (next() >= '0' && next() <= '9') {
      number = number * 10 + static_cast<uint32_t>(text_[at_++] - '0');
      if (number > kMostRepeated) refuse("more than 1000 repetitions");
    }
    return number;
  }

  Expression atom() {
    if (take('(')) return group();
    if (take('[')) return of(character_class());
    if (take('.')) return of(Characters::dot());
    if (take('^')) refuse("^ is done only at the beginning of the pattern or of its alternatives");
    if (std::string_view("*+?{").find(next()) != std::string_view::npos) wrong("nothing to repeat");
    if (take('\\')) return of(escape(false));
    const uint32_t character = plain();
    return of({{character, character}});
  }

  Expression group() {
    if (take("?<")) {
      if (next() == '=' || next() == '!') refuse("what looks behind is not done");
      while (!done() && next() != '>') ++at_;
      if (!take('>')) wrong("a group's name does not end");
    } else if (take('?') && !take(':')) {
      refuse("what looks ahead is not done");
    }
    if (++nested_ > kMostNested) refuse("more than 50 groups in one another");
    Expression inside = alternatives();
    --nested_;
    if (next() == '$') refuse("$ is done only at the end of the pattern or of its alternatives");
    if (!take(')')) wrong("a group does not end");
    return inside;
  }

  // A character of the pattern, from its UTF-8.
  uint32_t plain() {
    const auto byte = static_cast<uint8_t>(text_[at_++]);
    if (byte < 0x80) return byte;
    const int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    uint32_t character = byte & (0x3fu >> more);
    for (int i = 0; i < more && !done(); ++i) character = character << 6 | (static_cast<uint8_t>(text_[at_++]) & 0x3f);
    return character;
  }

  uint32_t hex(int digits) {
    uint32_t number = 0;
    for (int i = 0; i < digits; ++i) {
      const size_t value = std::string_view("0123456789abcdefABCDEF").find(next());
      if (done() || value == std::string_view::npos) wrong("an escape has too few hexadecimal digits");
      number = number * 16 + static_cast<uint32_t>(value < 16 ? value : value - 6);
      ++at_;
    }
    return number;
  }

  uint32_t unicode_escape() {
    if (take('{')) {
      uint32_t number = 0;
      while (next() != '}') {
        number = number * 16 + hex(1);
        if (number > Characters::kMost) wrong("an escape is no character");
      }
      take('}');
      return number;
    }
    const uint32_t high = hex(4);
    if (high < 0xd800 || high > 0xdbff || !take("\\u")) return high;
    const uint32_t low = hex(4);
    if (low < 0xdc00 || low > 0xdfff) refuse("half a surrogate pair is no character");
    return 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
  }

  Characters escape(bool in_class) {
    if (done()) wrong("a \\ at the end");
    const size_t begin = at_;
    const uint32_t letter = plain();
    const auto one = [](uint32_t character) { return Characters{{character, character}}; };
    constexpr std::string_view kLetters = "nrtfv0", kControls{"\n\r\t\f\v\0", 6};
    if (letter > 0x7f) return one(letter);
    const auto byte = static_cast<char>(letter);
    if (std::string_view("dswDSW").find(byte) != std::string_view::npos) return Characters::escape_class(byte);
    if (const size_t at = kLetters.find(byte); at != kLetters.npos && !(byte == '0' && next() >= '0' && next() <= '9')) {
      return one(static_cast<uint32_t>(kControls[at]));
    }
    if (byte == 'x') return one(hex(2));
    if (byte == 'u') return one(unicode_escape());
    if (byte == 'b' && in_class) return one('\b');
    const bool word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    if (word) at_ = begin, refuse("this escape is not done");
    return one(letter);
  }

  Characters character_class() {
    const bool others = take('^');
    Characters all;
    while (!take(']')) {
      if (done()) wrong("a class does not end");
      const bool first_set = is_set();
      const Characters first = member();
      if (next() != '-' || text_.substr(at_).starts_with("-]")) {
        all.add(first);
        continue;
      }
      take('-');
      if (done()) wrong("a class does not end");
      if (first_set || is_set()) wrong("a range of classes");
      const uint32_t from = first.first(), to = member().first();
      if (to < from) wrong("a range is out of order");
      all.add(from, to);
    }
    return others ? all.others() : all;
  }

  // Whether a class's next member is an escape of many characters.
  bool is_set() const {
    return next() == '\\' && at_ + 1 < text_.size() && std::string_view("dswDSW").find(text_[at_ + 1]) != std::string_view::npos;
  }

  Characters member() {
    if (take('\\')) return escape(true);
    const uint32_t character = plain();
    return {{character, character}};
  }

  std::string_view text_;
  size_t at_ = 0;
  int nested_ = 0;
};

}  // namespace

Expression parse_expression(std::string_view text) { return Parser(text).whole(); }

}  // namespace ivl::grammar
