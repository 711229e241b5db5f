// Deterministic automata over bytes: numbers, literals and patterned strings as they stand in JSON.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ivl::grammar {

inline constexpr int32_t kDead = -1;

// Where bytes from `first` to `last` lead.
template <class State>
struct Range {
  uint8_t first, last;
  State to;
};
using Edge = Range<int32_t>;

class Dfa {
 public:
  static constexpr int32_t kStart = 0;

  // Of each state: its edges, in the order of their bytes, and whether a text may end there. State 0 is the start. From where no end can
  // be reached is left out.
  Dfa(std::vector<std::vector<Edge>> edges, std::vector<bool> accepts);

  // No text at all.
  bool empty() const { return accepts_.empty(); }
  int32_t next(int32_t state, uint8_t byte) const;
  bool accepts(int32_t state) const { return accepts_[static_cast<size_t>(state)]; }
  bool goes_on(int32_t state) const { return !edges(state).empty(); }
  std::span<const Edge> edges(int32_t state) const;
  size_t states() const { return accepts_.size(); }
  size_t bytes() const { return edges_.size() * sizeof(Edge) + states() * sizeof(uint32_t); }

 private:
  std::vector<Edge> edges_;
  std::vector<uint32_t> first_;  // of a state's edges; one more at the end
  std::vector<bool> accepts_;
};

// What a state of an automaton that is being made does.
template <class State>
struct Behaviour {
  bool accepts = false;
  std::vector<Range<State>> edges = {};  // in the order of their bytes
};

// States and edges of all automata of one schema together, and steps taken to make them.
class Budget {
 public:
  // Error(Unsupported) once it is used up.
  void take(size_t steps);

 private:
  size_t left_ = 2'000'000;
};

// The automaton whose states are those that `behaviour` leads to from `start`.
template <class State, class Describe>
Dfa explore(const State& start, Budget& budget, const Describe& behaviour) {
  std::map<State, int32_t> numbers{{start, 0}};
  std::vector<State> found{start};
  std::vector<std::vector<Edge>> edges;
  std::vector<bool> accepts;
  while (edges.size() < found.size()) {
    const Behaviour<State> now = behaviour(State(found[edges.size()]));
    budget.take(1 + now.edges.size());
    std::vector<Edge>& own = edges.emplace_back();
    accepts.push_back(now.accepts);
    for (const Range<State>& range : now.edges) {
      const auto [at, added] = numbers.emplace(range.to, static_cast<int32_t>(found.size()));
      if (added) found.push_back(range.to);
      own.push_back({range.first, range.last, at->second});
    }
  }
  return {std::move(edges), std::move(accepts)};
}

// Texts that both have.
Dfa intersection(const Dfa& left, const Dfa& right, Budget& budget);

// One of these texts.
Dfa one_of(std::vector<std::string> texts, Budget& budget);

}  // namespace ivl::grammar
