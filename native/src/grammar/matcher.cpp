#include "grammar/matcher.h"

#include <algorithm>

#include "tensor/error.h"

namespace ivl::grammar {
namespace {

constexpr size_t kMostReadings = 64;  // to read an answer
constexpr size_t kMostMasks = 64;     // kept

// Forgets what was only tried.
class Trial {
 public:
  explicit Trial(Arena& arena) : arena_(arena), mark_(arena.mark()) {}
  ~Trial() { arena_.back_to(mark_); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

 private:
  Arena& arena_;
  Arena::Mark mark_;
};

}  // namespace

Matcher::Matcher(std::shared_ptr<const Rules> rules, std::vector<int32_t> stop_tokens)
    : rules_(std::move(rules)), stop_tokens_(std::move(stop_tokens)), machine_(rules_->grammar()), now_{machine_.start()} {}

void Matcher::step(const Stacks& from, uint8_t byte, Stacks& to) {
  to.clear();
  for (const Stack& stack : from) machine_.step(stack, byte, to);
  if (to.size() < 2) return;
  std::sort(to.begin(), to.end());
  to.erase(std::unique(to.begin(), to.end()), to.end());
  if (to.size() > kMostReadings)
    fail(Status::Unsupported,
         "the schema lets the answer be read in more than 64 ways at once; an anyOf with fewer or less similar schemas would do");
}

bool Matcher::accept(std::string_view bytes) {
  Stacks reached = now_, next;
  for (const char byte : bytes) {
    step(reached, static_cast<uint8_t>(byte), next);
    std::swap(reached, next);
  }
  if (reached.empty()) return false;
  now_ = std::move(reached);
  return true;
}

void Matcher::accept(int32_t token) {
  if (std::find(stop_tokens_.begin(), stop_tokens_.end(), token) != stop_tokens_.end()) return;
  require(accept(rules_->vocabulary().bytes(static_cast<uint32_t>(token))), "the answer's tokens are those that were allowed");
}

bool Matcher::whole() const {
  return std::any_of(now_.begin(), now_.end(), [&](const Stack& stack) { return machine_.whole(stack); });
}

std::shared_ptr<const Mask> Matcher::allowed() {
  const auto known = found_.find(now_);
  if (known != found_.end()) return known->second;
  if (found_.size() >= kMostMasks) found_.clear();
  return found_[now_] = find();
}

std::shared_ptr<const Mask> Matcher::find() {
  const Vocabulary& vocabulary = rules_->vocabulary();
  auto mask = std::make_shared<Mask>(vocabulary.nothing());
  Stacks open, marked;
  for (const Stack& stack : now_) add_inside(stack, *mask, open, marked);
  walk(vocabulary.all(), open, *mask);
  walk(vocabulary.marked(), marked, *mask);
  const bool ends = whole();
  for (const int32_t stop : stop_tokens_) {
    if (stop < 0 || static_cast<size_t>(stop) >= vocabulary.size()) continue;
    ends ? allow(*mask, static_cast<uint32_t>(stop)) : forbid(*mask, static_cast<uint32_t>(stop));
  }
  return mask;
}

// Inside strings, tokens that stay there are known without a walk; only those with a quote or a backslash are left.
void Matcher::add_inside(const Stack& stack, Mask& mask, Stacks& open, Stacks& marked) {
  uint32_t most = 0;
  if (machine_.between_characters(stack, most)) {
    rules_->vocabulary().allow_plain(mask, most);
    return marked.push_back(stack);
  }
  const bool dense = stack.top.place == Place::Text && rules_->grammar().texts[stack.top.shape].dense;
  if (!dense) return open.push_back(stack);
  const std::shared_ptr<const Mask> inside = rules_->inside(stack.top.shape, stack.top.at);
  for (size_t i = 0; i < mask.size(); ++i) mask[i] |= (*inside)[i];
  marked.push_back(stack);
}

void Matcher::walk(const TokenTrie& trie, const Stacks& from, Mask& mask) {
  if (from.empty()) return;
  const Trial trial(machine_.arena());
  levels_.resize(std::max<size_t>(levels_.size(), trie.deepest + 1));
  levels_[0].stacks = from;
  settle(levels_[0], 0);
  for (size_t node = 0; node < trie.nodes();) {
    const uint32_t depth = trie.depth[node];
    if (!step(trie, node, levels_[depth], levels_[depth + 1])) {
      node = trie.end[node];
      continue;
    }
    for (const uint32_t token : trie.ending(node)) allow(mask, token);
    ++node;
  }
}

bool Matcher::step(const TokenTrie& trie, size_t node, const Level& from, Level& to) {
  const uint8_t byte = trie.byte[node];
  if (from.free) {
    to.only = from.only;
    to.named = from.named;
    to.free = machine_.inside(to.only, byte);
    return to.free || (byte == '"' && leave(trie, node, from, to));
  }
  step(from.stacks, byte, to.stacks);
  settle(to, trie.depth[node] + 1);
  return !to.stacks.empty();
}

// Most tokens lie inside one string, where there is one way to read them and little to know.
void Matcher::settle(Level& level, uint32_t depth) const {
  level.free = level.stacks.size() == 1 && machine_.is_free(level.stacks[0]);
  if (!level.free) return;
  level.only = level.stacks[0];
  level.named = depth;
}

// With a quote. What a name is called has its place in the arena only if the value begins in the token, too.
bool Matcher::leave(const TokenTrie& trie, size_t node, const Level& from, Level& to) {
  Stack stack = from.only;
  to.stacks.clear();
  if (stack.top.place == Place::Key) {
    const std::string_view token = rules_->vocabulary().bytes(trie.tokens[trie.first_token[node]]);
    const std::string_view more = token.substr(from.named, trie.depth[node] - from.named);
    if (!machine_.may_end(stack, more)) return false;
    if (!trie.goes_on(node, ':')) return true;
    machine_.append(stack, more);
  }
  machine_.step(stack, '"', to.stacks);
  settle(to, trie.depth[node] + 1);
  return !to.stacks.empty();
}

}  // namespace ivl::grammar
