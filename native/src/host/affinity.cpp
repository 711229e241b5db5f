#include "host/affinity.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "host/processor.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr int kMostThreads = 1024;

[[noreturn]] void refuse(const std::string& affinity, const std::string& why) {
  fail(Status::InvalidArgument, cat("affinity is '", affinity, "'", why));
}

// "0,2,4-7" as numbers.
std::vector<int> parse(const std::string& text) {
  const char* at = text.data();
  const char* end = at + text.size();
  const auto number = [&] {
    int value = 0;
    const auto [stopped, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 0 || value >= CPU_SETSIZE) {
      refuse(text, ", expected none, auto or processors such as 0,2,4-7");
    }
    at = stopped;
    return value;
  };
  const auto next = [&](char c) { return at != end && *at == c && (++at, true); };
  std::vector<int> processors;
  do {
    const int first = number();
    const int last = next('-') ? number() : first;
    if (last < first) refuse(text, cat(", expected ", first, " to ", last, " to ascend"));
    for (int processor = first; processor <= last; ++processor) processors.push_back(processor);
  } while (next(','));
  if (at != end || processors.empty()) refuse(text, ", expected none, auto or processors such as 0,2,4-7");
  return processors;
}

std::string list_of(const std::vector<int>& processors) {
  std::string text;
  for (const int processor : processors) text += cat(text.empty() ? "" : ",", processor);
  return text;
}

void check(const std::vector<int>& processors, const std::string& affinity) {
  const std::vector<int> allowed = allowed_processors();
  const auto configured = static_cast<int>(::sysconf(_SC_NPROCESSORS_CONF));
  for (auto it = processors.begin(); it != processors.end(); ++it) {
    if (std::find(processors.begin(), it, *it) != it) refuse(affinity, cat(", which names processor ", *it, " twice"));
    if (*it >= configured) refuse(affinity, cat(", but this machine has processors 0 to ", configured - 1));
    if (!std::binary_search(allowed.begin(), allowed.end(), *it)) {
      refuse(affinity, cat(", but this process may not use processor ", *it, ", only ", list_of(allowed)));
    }
  }
}

}  // namespace

std::vector<int> allowed_processors() {
  std::vector<int> allowed;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return allowed;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &set)) allowed.push_back(processor);
  }
  return allowed;
}

Threads threads_from(int wanted, const std::string& affinity) {
  if (wanted < 0 || wanted > kMostThreads) {
    fail(Status::InvalidArgument, cat("threads is ", wanted, ", expected 0 to ", kMostThreads));
  }
  Threads threads{wanted == 0 ? default_threads() : wanted, {}};
  if (affinity.empty() || affinity == "none") return threads;
  const bool named = affinity != "auto";
  threads.processors = named ? parse(affinity) : allowed_processors();
  if (named) check(threads.processors, affinity);
  const auto processors = static_cast<int>(threads.processors.size());
  if (named && wanted == 0) threads.count = processors;
  if (threads.count > processors) {
    refuse(affinity,
           cat(", which is ", processors, processors == 1 ? " processor" : " processors", " for ", threads.count, " threads"));
  }
  threads.processors.resize(static_cast<size_t>(threads.count));
  return threads;
}

Bound::Bound(int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  bound_ = sched_getaffinity(0, sizeof before_, &before_) == 0 && sched_setaffinity(0, sizeof one, &one) == 0;
}

Bound::~Bound() {
  if (bound_) sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace ivl
