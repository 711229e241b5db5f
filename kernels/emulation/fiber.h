// Fibers: a CUDA thread of the emulation is one. x86-64 System V only; a switch saves what that ABI makes a callee save.
#pragma once

#include <cstddef>

namespace simt {

// A stack with a suspended computation on it. Not movable: the computation points into it.
class Fiber {
 public:
  static constexpr size_t kStackBytes = 128 * 1024;

  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Prepares entry(argument) to run on the given stack at the first resume(). The entry must end in finish().
  void prepare(std::byte* stack, void (*entry)(void*), void* argument);
  // Runs the fiber until it suspends or finishes. Called from outside of fibers.
  void resume();
  // Back to whoever resumed; called on the fiber.
  void suspend();
  [[noreturn]] void finish();

  bool finished() const { return finished_; }

 private:
  void* own_ = nullptr;      // stack pointer while suspended
  void* resumer_ = nullptr;  // stack pointer of the resumer while running
  bool finished_ = true;
};

}  // namespace simt
