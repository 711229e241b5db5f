// Order between threads by fences and atomics, as "last block" sums need it (PTX ISA, "Memory Consistency Model"): what a
// thread did before a __threadfence() and a later atomic comes before what another does after an atomic at the same address,
// if that was the later one, and a __threadfence() behind it. Either fence missing, nothing is ordered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "emulation/memory.h"

namespace simt {

struct Releases;

// One thread's part in it.
class Fences {
 public:
  // __threadfence(). `clock` counts it already.
  void fence(const Access& clock);
  void atomic(const void* address);
  // Whether a fence of the thread's ordered this access of another before it.
  bool order(const Access& earlier) const;
  bool know_nothing() const { return known_.empty(); }
  // A barrier: what orders accesses before `other` does so here.
  void learn_from(const Fences& other) { learn(known_, other.known_); }

 private:
  // How many releases of each address.
  using Known = std::map<const Releases*, size_t>;
  static void learn(Known& known, const Known& other);

  Known known_;
  Known seen_;                      // by atomics behind the last fence; the next fence makes it known
  Known carried_;                   // what was known at the last fence
  Access fenced_;                   // that fence; launch 0 if there was none
  std::set<const Releases*> told_;  // since then
};

// For a new launch.
void forget_releases();

}  // namespace simt
