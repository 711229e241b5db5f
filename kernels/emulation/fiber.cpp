#include "emulation/fiber.h"

#include <cstdint>
#include <cstdlib>

// Both ways push the callee-saved registers on top of the address to go on at, leave the stack pointer in `save` and take `to`
// instead.
//
// A processor predicts where a `ret` goes from the calls before it, and the threads of a warp mostly suspend at the same place. So
// if nothing else is called in between, each thread returns through the very calls that the thread before it made, as predicted;
// wrong predictions were the larger part of what a switch cost. Therefore the way out of a fiber is a jump, and the way in is no
// call.

// ivl_simt_suspend(save, to)
asm(R"(
.text
.globl ivl_simt_suspend
.hidden ivl_simt_suspend
.type ivl_simt_suspend, @function
ivl_simt_suspend:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  popq %rcx
  jmp *%rcx
.size ivl_simt_suspend, .-ivl_simt_suspend

.globl ivl_simt_fiber_start
.hidden ivl_simt_fiber_start
.type ivl_simt_fiber_start, @function
ivl_simt_fiber_start:
  movq %r13, %rdi
  callq *%r12
  ud2
.size ivl_simt_fiber_start, .-ivl_simt_fiber_start
)");

extern "C" void ivl_simt_suspend(void** save, void* to);
extern "C" void ivl_simt_fiber_start();

namespace simt {

void Fiber::prepare(std::byte* stack, void (*entry)(void*), void* argument) {
  // What resume() pops: r15, r14, r13, r12, rbx, rbp, the return address. After the return the stack pointer is a
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

void Fiber::resume() {
  void** save = &resumer_;
  void* to = own_;
  // The registers that are not named are pushed; 128 bytes below the stack pointer may be in use.
  asm volatile(
      "leaq -128(%%rsp), %%rsp\n"
      "leaq 1f(%%rip), %%rax\n"
      "pushq %%rax\n"
      "pushq %%rbp; pushq %%rbx; pushq %%r12; pushq %%r13; pushq %%r14; pushq %%r15\n"
      "movq %%rsp, (%0)\n"
      "movq %1, %%rsp\n"
      "popq %%r15; popq %%r14; popq %%r13; popq %%r12; popq %%rbx; popq %%rbp\n"
      "ret\n"
      "1: leaq 128(%%rsp), %%rsp\n"
      : "+D"(save), "+S"(to)
      :
      : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

void Fiber::suspend() { ivl_simt_suspend(&own_, resumer_); }

void Fiber::finish() {
  finished_ = true;
  suspend();
  std::abort();  // nobody resumes a finished fiber
}

}  // namespace simt
