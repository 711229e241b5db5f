// What this machine can do, measured now: the limits that benchmarks are told against.
#pragma once

#include <string>

namespace ivl::cpu {

struct Machine {
  double read_gigabytes_per_second;  // 1e9 bytes
  double f32_gigaflops;              // a multiply-add counts as two
  double bf16_gigaflops;             // the same for products of bf16 by bf16
  double int8_gigaops;               // and of bytes
  int threads;
};

// Best of several short runs on such threads as threads_from() gives, with the chosen kernels' instructions; about a
// second. Takes 256 MiB for the time of the call.
Machine measure_machine(int threads, const std::string& affinity);

}  // namespace ivl::cpu
