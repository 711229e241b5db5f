// A product cut into tasks for threads: which output columns a task has, and how it is done.
#pragma once

#include <algorithm>
#include <vector>

#include "backend/backend.h"
#include "cpu/cpu_weights.h"
#include "cpu/isa/kernel_table.h"

namespace ivl::cpu {

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A product's input as the kernels want it: as it is, rounded, or packed.
struct Factor {
  const char* rows;
  DType type;
  int64_t stride;  // as in ProductArgs
  int64_t row_bytes;
  bool packed;
};

// Rows of a product that an adapter adds to.
struct AddedRows {
  int64_t row, rows;
  const CpuAdapter* adapter;
  std::vector<Factor> inputs;  // u of each pair, from the first of these rows on
};

// All of a product but the tasks.
struct PreparedProduct {
  const CpuLinear* weights = nullptr;
  Matrix out = {};
  Epilogue epilogue = {};
  bool few = false;  // rows, which are not packed
  Factor factor = {};
  Int8Activations bytes = {};  // instead, where the weights are in int8
  std::vector<AddedRows> added = {};

  bool gated() const { return epilogue.activation == Activation::SwiGlu; }
};

// A task's output columns, which lie in one part of stacked weights.
struct ColumnBlock {
  const CpuLinear::Part* part;
  int64_t first;  // row of the part's weight
  int64_t out;    // column of the output
  int64_t cols;
  ColumnRuns runs;  // beginning with these

  // Runs that touch are one to what follows the sums.
  bool touch() const { return runs.each == runs.apart; }
  int64_t run_count() const { return touch() ? 1 : kColumnRuns; }
  int64_t run_cols(int64_t run) const { return std::min(touch() ? cols : runs.each, cols - run * runs.apart); }
};

// Tasks of `block` columns.
std::vector<ColumnBlock> column_blocks(const CpuLinear& weights, int64_t block, bool gated);

// Tasks of a product of few rows, those of each share together.
struct StreamTasks {
  std::vector<ColumnBlock> blocks;
  std::vector<int64_t> bounds;  // of shares
};

// A share has a part of every part's columns, in kColumnRuns runs that go on from one of its tasks to the next: memory gives long
// streams faster. Tasks are short enough for threads that take a share each to end together. There may be fewer shares.
StreamTasks stream_tasks(const CpuLinear& weights, int64_t shares, bool gated);

// A thread's memory for the sums of a task: each run's columns together, runs one behind another.
struct TaskMemory {
  float *sums, *up;  // up: SwiGlu only
  int64_t stride;
  int32_t* totals;
  float* packed;
};

// The task: the block's columns of rows [row, row + rows) of the product.
void run_block(const KernelTable& kernels, const PreparedProduct& product, const ColumnBlock& block, int64_t row, int64_t rows,
               const TaskMemory& memory);

}  // namespace ivl::cpu
