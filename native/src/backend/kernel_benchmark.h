// One operation of a backend on random data, to be timed and to be compared with others' results.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/workspace.h"

namespace ivl {

class KernelBenchmark {
 public:
  virtual ~KernelBenchmark() = default;

  // Seconds of so many runs, one queued behind another; done when it returns.
  double time(int64_t runs);
  double operations() const { return operations_; }  // floating-point operations of one run
  double bytes() const { return bytes_; }            // bytes that one run must move

  // What a run reads, in the order of the specification, and at last what it writes.
  struct Operand {
    Matrix matrix;
    bool on_host = false;  // else in the backend's memory
  };
  const std::vector<Operand>& operands() const { return operands_; }
  // out (rows, cols), dense.
  void copy_operand(size_t index, float* out);

 protected:
  explicit KernelBenchmark(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

  // Queues the operation once.
  virtual void run() = 0;
  DType activation() const { return backend_->activation_type(); }
  enum Slot : size_t { kIn, kOut };  // of space_
  // Random activations in kIn.
  Matrix random_input(int64_t rows, int64_t cols);
  // Random numbers in the backend's memory, dense.
  Buffer random_matrix(int64_t rows, int64_t cols, DType type, uint32_t seed, float spread = 1);

  std::shared_ptr<Backend> backend_;
  // Activations with their rows as far apart as in a model: dense ones can be slower, where rows share places in a cache.
  Workspace space_{*backend_};
  std::vector<Operand> operands_;
  double operations_ = 0;
  double bytes_ = 0;
};

// The backend of the device that a specification names, for weights and activations of the type. A GPU rounds its activations to
// the type whether bf16_activations asks for it or not.
using BackendOf = std::function<std::shared_ptr<Backend>(const std::string& device, DType type, bool bf16_activations)>;

// `spec` is JSON as ivl_benchmark_create in internvl4j.h describes it. Error(InvalidArgument) names what is wrong in it.
std::unique_ptr<KernelBenchmark> make_benchmark(const BackendOf& backend_of, const std::string& spec);

}  // namespace ivl
