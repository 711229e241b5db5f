#include "emulation/fiber.h"

#include <cstdint>
#include <cstdlib>

// switch_stacks(save, to): pushes the callee-saved registers, leaves the stack pointer in *save, takes `to` instead.
asm(R"(
.text
.globl ivl_simt_switch_stacks
.hidden ivl_simt_switch_stacks
.type ivl_simt_switch_stacks, @function
ivl_simt_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ivl_simt_switch_stacks, .-ivl_simt_switch_stacks

.globl ivl_simt_fiber_start
.hidden ivl_simt_fiber_start
.type ivl_simt_fiber_start, @function
ivl_simt_fiber_start:
  movq %r13, %rdi
  callq *%r12
  ud2
.size ivl_simt_fiber_start, .-ivl_simt_fiber_start
)");

extern "C" void ivl_simt_switch_stacks(void** save, void* to);
extern "C" void ivl_simt_fiber_start();

namespace simt {

void Fiber::prepare(std::byte* stack, void (*entry)(void*), void* argument) {
  // What switch_stacks pops: r15, r14, r13, r12, rbx, rbp, the return address. After the return the stack pointer is a
  // multiple of 16, as before a call.
  auto* top = reinterpret_cast<uint64_t*>(stack + kStackBytes);
  top -= 2;
  *--top = reinterpret_cast<uint64_t>(&ivl_simt_fiber_start);
  *--top = 0;                                     // rbp
  *--top = 0;                                     // rbx
  *--top = reinterpret_cast<uint64_t>(entry);     // r12
  *--top = reinterpret_cast<uint64_t>(argument);  // r13
  *--top = 0;                                     // r14
  *--top = 0;                                     // r15
  own_ = top;
  finished_ = false;
}

void Fiber::resume() { ivl_simt_switch_stacks(&resumer_, own_); }

void Fiber::suspend() { ivl_simt_switch_stacks(&own_, resumer_); }

void Fiber::finish() {
  finished_ = true;
  suspend();
  std::abort();  // nobody resumes a finished fiber
}

}  // namespace simt
