// What a launch must move and compute at least. Each launcher says it from its own arguments; on a GPU nobody listens, and
// the emulation keeps it with its record of launches, from which scripts/roofline is made.
#pragma once

namespace gpu {

struct Cost {
  double read = 0;        // bytes, each once
  double written = 0;     // bytes
  double operations = 0;  // of tensor cores; a multiply-add is two
  bool int8 = false;      // those operations are in int8
};

#if defined(GPU_EMULATED)
void next_launch_costs(const Cost& cost);
#else
inline void next_launch_costs(const Cost& /*cost*/) {}
#endif

}  // namespace gpu
