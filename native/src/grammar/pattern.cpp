#include "grammar/pattern.h"

#include <algorithm>

#include "grammar/expression.h"
#include "tensor/error.h"

namespace ivl::grammar {
namespace {

using States = std::vector<uint32_t>;  // in order

// A nondeterministic automaton, by Thompson's construction.
class Nfa {
 public:
  explicit Nfa(Budget& budget) : budget_(budget) {}

  uint32_t add() {
    budget_.take(1);
    states_.emplace_back();
    return static_cast<uint32_t>(states_.size() - 1);
  }
  void skip(uint32_t from, uint32_t to) { states_[from].skips.push_back(to); }
  void edge(uint32_t from, CharacterRange bytes, uint32_t to) {
    states_[from].edges.push_back({static_cast<uint8_t>(bytes.first), static_cast<uint8_t>(bytes.last), to});
  }

  // The expression's texts lead from `from` to the returned state.
  uint32_t add(const Expression& expression, uint32_t from) {
    switch (expression.kind) {
      case Expression::Kind::Characters: return add_characters(expression.characters, from);
      case Expression::Kind::Sequence:
        for (const Expression& part : expression.parts) from = add(part, from);
        return from;
      case Expression::Kind::Alternatives: {
        const uint32_t end = add();
        for (const Expression& part : expression.parts) skip(add(part, from), end);
        return end;
      }
      default: return add_repeated(expression, from);
    }
  }

  // All that can be reached without a byte.
  States closure(States states) {
    reached_.resize(states_.size());
    ++turn_;
    for (const uint32_t state : states) reached_[state] = turn_;
    for (size_t i = 0; i < states.size(); ++i) {
      for (const uint32_t to : states_[states[i]].skips) {
        if (std::exchange(reached_[to], turn_) != turn_) states.push_back(to);
      }
    }
    budget_.take(states.size());
    std::sort(states.begin(), states.end());
    return states;
  }

  Behaviour<States> behaviour(const States& at, uint32_t end) {
    Behaviour<States> now{std::binary_search(at.begin(), at.end(), end)};
    std::vector<int> cuts;  // bytes where another set of edges begins
    for (const uint32_t state : at) {
      for (const auto& edge : states_[state].edges) cuts.push_back(edge.first), cuts.push_back(edge.last + 1);
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      const States to = behind(at, static_cast<uint8_t>(cuts[i]));
      if (!to.empty()) now.edges.push_back({static_cast<uint8_t>(cuts[i]), static_cast<uint8_t>(cuts[i + 1] - 1), to});
    }
    return now;
  }

 private:
  struct State {
    std::vector<Range<uint32_t>> edges = {};
    std::vector<uint32_t> skips = {};
  };

  uint32_t add_characters(const Characters& characters, uint32_t from) {
    const uint32_t end = add();
    characters.write([&](const Characters::ByteRanges& bytes) {
      uint32_t state = from;
      for (size_t i = 0; i < bytes.size(); ++i) {
        const uint32_t to = i + 1 == bytes.size() ? end : add();
        edge(state, bytes[i], to);
        state = to;
      }
    });
    return end;
  }

  uint32_t add_repeated(const Expression& expression, uint32_t from) {
    const Expression& part = expression.parts[0];
    for (uint32_t i = 0; i < expression.least; ++i) from = add(part, from);
    const uint32_t end = add();
    skip(from, end);
    if (!expression.most) {
      const uint32_t loop = add();  // of its own, so that no other loop is entered from inside this one
      skip(from, loop);
      const uint32_t again = add(part, loop);
      skip(again, loop);
      skip(again, end);
      return end;
    }
    for (uint32_t i = expression.least; i < *expression.most; ++i) {
      const uint32_t begin = add();
      skip(from, begin);
      from = add(part, begin);
      skip(from, end);
    }
    return end;
  }

  States behind(const States& at, uint8_t byte) {
    budget_.take(at.size());
    States to;
    for (const uint32_t state : at) {
      for (const auto& edge : states_[state].edges) {
        if (edge.first <= byte && byte <= edge.last) to.push_back(edge.to);
      }
    }
    std::sort(to.begin(), to.end());
    to.erase(std::unique(to.begin(), to.end()), to.end());
    return closure(std::move(to));
  }

  Budget& budget_;
  std::vector<State> states_;
  std::vector<uint64_t> reached_;  // in which turn of closure()
  uint64_t turn_ = 0;
};

Dfa quoted(const Expression& expression, Budget& budget) {
  Nfa nfa(budget);
  const CharacterRange quote{'"', '"'};
  const uint32_t start = nfa.add(), inside = nfa.add(), end = nfa.add();
  nfa.edge(start, quote, inside);
  nfa.edge(nfa.add(expression, inside), quote, end);
  return explore(nfa.closure({start}), budget, [&](const States& at) { return nfa.behaviour(at, end); });
}

struct Format {
  const char* name;
  const char* pattern;
};

#define IVL_DAY                                                                                         \
  "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|" \
  "02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
// An offset of -00:00 would say that the place is not known, and ISO 8601 does not have it.
#define IVL_TIME                                                 \
  "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?" \
  "(?:Z|\\+(?:[01][0-9]|2[0-3]):[0-5][0-9]|-(?:(?:0[1-9]|1[0-9]|2[0-3]):[0-5][0-9]|00:(?:0[1-9]|[1-5][0-9])))"
#define IVL_BYTE "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

// Of RFC 3339, 4122, 2673 and, of addresses, the plain ones that RFC 5321 has.
constexpr Format kFormats[] = {
    {"date", "^" IVL_DAY "$"},
    {"time", "^" IVL_TIME "$"},
    {"date-time", "^" IVL_DAY "T" IVL_TIME "$"},
    {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    {"ipv4", "^" IVL_BYTE "\\." IVL_BYTE "\\." IVL_BYTE "\\." IVL_BYTE "$"},
    {"email",
     "^[A-Za-z0-9_+-]+(?:\\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9](?:[A-Za-z0-9-]{0,20}[A-Za-z0-9])?"
     "(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,20}[A-Za-z0-9])?)*\\.[A-Za-z]{2,10}$"},
};

}  // namespace

Dfa pattern(std::string_view expression, Budget& budget) { return quoted(parse_expression(expression), budget); }

Dfa strings(uint32_t least, uint32_t most, Budget& budget) {
  const Expression any{.kind = Expression::Kind::Characters, .characters = Characters::any()};
  const std::optional<uint32_t> end = most == UINT32_MAX ? std::nullopt : std::optional(most);
  return quoted({.kind = Expression::Kind::Repeated, .parts = {any}, .least = least, .most = end}, budget);
}

const char* format_pattern(std::string_view format) {
  const auto found =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& each) { return each.name == format; });
  return found == std::end(kFormats) ? nullptr : found->pattern;
}

std::string known_formats() {
  std::string all;
  for (const Format& format : kFormats) all += cat(all.empty() ? "" : ", ", format.name);
  return all;
}

}  // namespace ivl::grammar
