// The checks of every access of a kernel. Kernels are compiled with -fsanitize=thread, but ThreadSanitizer's library is
// not linked: its hooks (hooks.cpp) are ours and lead here. Helpers that move more than the compiler sees at once (wide
// loads, ldmatrix, asynchronous copies) call access() themselves.
#pragma once

#include <cstddef>

namespace simt {

// MatrixRead: by the tensor cores, so in no thread's wavefronts.
enum class Kind { Read, Write, Atomic, AsyncTarget, AsyncLanding, MatrixRead };

constexpr bool is_read(Kind kind) { return kind == Kind::Read || kind == Kind::MatrixRead; }

struct Thread;

// One access of the running thread to `size` bytes, which is also the alignment it needs; `bytes` of them count, if
// given. False, and reported, if there is no memory to access: the caller must leave it then. Outside of kernels, and for
// a kernel's own stack, it does nothing.
bool access(const void* address, size_t size, Kind kind, const void* pc, size_t bytes = 0);

// The thread's kernel returned.
void end_of_thread(Thread& thread);

}  // namespace simt
