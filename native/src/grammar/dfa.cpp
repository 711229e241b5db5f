#include "grammar/dfa.h"

#include <algorithm>

#include "tensor/error.h"

namespace ivl::grammar {
namespace {

// Which states lead to an end.
std::vector<bool> alive(const std::vector<std::vector<Edge>>& edges, std::vector<bool> accepts) {
  std::vector<std::vector<int32_t>> sources(edges.size());
  std::vector<int32_t> open;
  for (size_t state = 0; state < edges.size(); ++state) {
    for (const Edge& edge : edges[state]) sources[static_cast<size_t>(edge.to)].push_back(static_cast<int32_t>(state));
    if (accepts[state]) open.push_back(static_cast<int32_t>(state));
  }
  while (!open.empty()) {
    const auto state = static_cast<size_t>(open.back());
    open.pop_back();
    for (const int32_t source : sources[state]) {
      if (accepts[static_cast<size_t>(source)]) continue;
      accepts[static_cast<size_t>(source)] = true;
      open.push_back(source);
    }
  }
  return accepts;
}

}  // namespace

Dfa::Dfa(std::vector<std::vector<Edge>> edges, std::vector<bool> accepts) {
  const std::vector<bool> kept = alive(edges, accepts);
  if (edges.empty() || !kept[0]) return;
  std::vector<int32_t> numbers(edges.size(), kDead);
  int32_t count = 0;
  for (size_t state = 0; state < edges.size(); ++state) {
    if (kept[state]) numbers[state] = count++;
  }
  for (size_t state = 0; state < edges.size(); ++state) {
    if (!kept[state]) continue;
    first_.push_back(static_cast<uint32_t>(edges_.size()));
    accepts_.push_back(accepts[state]);
    for (const Edge& edge : edges[state]) {
      const int32_t to = numbers[static_cast<size_t>(edge.to)];
      if (to != kDead) edges_.push_back({edge.first, edge.last, to});
    }
  }
  first_.push_back(static_cast<uint32_t>(edges_.size()));
}

std::span<const Edge> Dfa::edges(int32_t state) const {
  const auto at = static_cast<size_t>(state);
  return std::span(edges_).subspan(first_[at], first_[at + 1] - first_[at]);
}

int32_t Dfa::next(int32_t state, uint8_t byte) const {
  for (const Edge& edge : edges(state)) {
    if (byte <= edge.last) return byte >= edge.first ? edge.to : kDead;
  }
  return kDead;
}

void Budget::take(size_t steps) {
  if (steps > left_)
    fail(Status::Unsupported, "its patterns, enumerations and bounds are too large together; fewer or shorter ones would do");
  left_ -= steps;
}

Dfa intersection(const Dfa& left, const Dfa& right, Budget& budget) {
  if (left.empty() || right.empty()) return {{}, {}};
  using Pair = std::pair<int32_t, int32_t>;
  return explore(Pair{Dfa::kStart, Dfa::kStart}, budget, [&](const Pair& at) {
    Behaviour<Pair> both{left.accepts(at.first) && right.accepts(at.second)};
    const std::span<const Edge> a = left.edges(at.first), b = right.edges(at.second);
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
      const uint8_t first = std::max(a[i].first, b[j].first), last = std::min(a[i].last, b[j].last);
      if (first <= last) both.edges.push_back({first, last, {a[i].to, b[j].to}});
      a[i].last < b[j].last ? ++i : ++j;
    }
    return both;
  });
}

Dfa one_of(std::vector<std::string> texts, Budget& budget) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  struct Common {  // texts [begin, end) begin alike, for so many bytes
    size_t begin, end, depth;
    auto operator<=>(const Common&) const = default;
  };
  if (texts.empty()) return {{}, {}};
  return explore(Common{0, texts.size(), 0}, budget, [&](const Common& at) {
    Behaviour<Common> now;
    size_t next = at.begin;
    if (texts[next].size() == at.depth) now.accepts = true, ++next;
    while (next < at.end) {
      const auto byte = static_cast<uint8_t>(texts[next][at.depth]);
      size_t end = next + 1;
      while (end < at.end && static_cast<uint8_t>(texts[end][at.depth]) == byte) ++end;
      now.edges.push_back({byte, byte, {next, end, at.depth + 1}});
      next = end;
    }
    return now;
  });
}

}  // namespace ivl::grammar
