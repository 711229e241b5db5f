// One operation of a backend on random data, to be timed by the caller.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace ivl {

class KernelBenchmark {
 public:
  virtual ~KernelBenchmark() = default;
  virtual void run() = 0;
  double operations() const { return operations_; }  // floating-point operations of one run
  double bytes() const { return bytes_; }            // bytes that one run must move

 protected:
  double operations_ = 0;
  double bytes_ = 0;
};

// `spec` is JSON as ivl_benchmark_create in internvl4j.h describes it. Error(InvalidArgument) names what is wrong in it.
std::unique_ptr<KernelBenchmark> make_benchmark(std::shared_ptr<Backend> backend, const std::string& spec);

}  // namespace ivl
