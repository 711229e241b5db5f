// Feed-forward layers of which a row passes a few. Rows are gathered by expert, and the experts of a step share its tasks: eight small
// products cost the threads no more meetings than a large one.
#include <algorithm>
#include <utility>

#include "cpu/cpu_backend.h"
#include "cpu/rows.h"

namespace ivl::cpu {
namespace {

constexpr int64_t kPassesOfRouting = 16;  // over a row's numbers, as for_rows() counts work

// The k largest of p, the lower number first among equals: their numbers, ascending, and their values.
void choose(const float* p, int64_t count, float* numbers, float* values, int64_t k) {
  int64_t held = 0;
  const auto put = [&](int64_t at, float number, float value) {
    numbers[at] = number;
    values[at] = value;
  };
  // The largest first. NaN is larger than nothing, so of a row that is not finite the first k are taken.
  for (int64_t e = 0; e < count; ++e) {
    if (held == k && !(p[e] > values[k - 1])) continue;
    int64_t at = held < k ? held++ : k - 1;
    for (; at > 0 && p[e] > values[at - 1]; --at) put(at, numbers[at - 1], values[at - 1]);
    put(at, static_cast<float>(e), p[e]);
  }
}

void sort_by_number(float* numbers, float* values, int64_t k) {
  for (int64_t i = 1; i < k; ++i) {
    for (int64_t at = i; at > 0 && numbers[at] < numbers[at - 1]; --at) {
      std::swap(numbers[at], numbers[at - 1]);
      std::swap(values[at], values[at - 1]);
    }
  }
}

// The rows of an expert, next to each other in the order of the batch.
struct Group {
  int64_t expert;
  int64_t first;  // slot
  int64_t slots;
  bool few;  // that stream the weights past: also more than of other products, for weights are packed anew for each expert
};

struct Grouping {
  std::vector<Group> groups;
  std::vector<int64_t> row_of_slot;
  std::vector<int64_t> group_of_slot;
  std::vector<int64_t> slot_of;  // (rows, k)
};

Grouping group(const Matrix& routes, int64_t count) {
  const int64_t k = routes.cols / 2, slots = routes.rows * k;
  const auto expert_of = [&](int64_t row, int64_t i) { return static_cast<size_t>(row_of(routes, row)[i]); };
  Grouping grouping;
  std::vector<int64_t> next(static_cast<size_t>(count), 0);
  for (int64_t row = 0; row < routes.rows; ++row) {
    for (int64_t i = 0; i < k; ++i) ++next.at(expert_of(row, i));
  }
  std::vector<int64_t> group_of_expert(static_cast<size_t>(count));
  int64_t first = 0;
  for (int64_t e = 0; e < count; ++e) {
    const auto at = static_cast<size_t>(e);
    group_of_expert[at] = static_cast<int64_t>(grouping.groups.size());
    if (next[at] > 0) grouping.groups.push_back({e, first, next[at], next[at] <= kMostStreamedRows});
    first += std::exchange(next[at], first);
  }
  grouping.row_of_slot.resize(static_cast<size_t>(slots));
  grouping.group_of_slot.resize(static_cast<size_t>(slots));
  for (int64_t row = 0; row < routes.rows; ++row) {
    for (int64_t i = 0; i < k; ++i) {
      const size_t e = expert_of(row, i);
      const int64_t slot = next[e]++;
      grouping.row_of_slot[static_cast<size_t>(slot)] = row;
      grouping.group_of_slot[static_cast<size_t>(slot)] = group_of_expert[e];
      grouping.slot_of.push_back(slot);
    }
  }
  return grouping;
}

// The tasks of several products, those of each thread together.
struct GroupTasks {
  struct Task {
    size_t product;
    ColumnBlock block;
    int64_t row, rows;
  };
  std::vector<Task> tasks;
  std::vector<int64_t> bounds;  // of threads
};

// Tasks of a product of many rows.
void add_tall_tasks(GroupTasks& to, size_t at, const PreparedProduct& product) {
  const int64_t rows = product.out.rows;
  const int64_t most_rows = ceil_div(ceil_div(rows, ceil_div(rows, kMostTaskRows)), kTaskRows) * kTaskRows;
  for (int64_t row = 0; row < rows; row += most_rows) {
    for (const ColumnBlock& block : column_blocks(*product.weights, kMostTaskCols, product.gated())) {
      to.tasks.push_back({at, block, row, std::min(most_rows, rows - row)});
    }
  }
}

GroupTasks group_tasks(const std::vector<PreparedProduct>& products, int64_t threads) {
  const auto count = static_cast<int64_t>(products.size());
  const int64_t shares = ceil_div(threads, count);  // of a product that streams
  GroupTasks all{{}, {0}};
  std::vector<int64_t> ends;  // of what a thread should do as a whole
  for (size_t at = 0; at < products.size(); ++at) {
    const PreparedProduct& product = products[at];
    if (!product.few) {
      add_tall_tasks(all, at, product);
      ends.push_back(static_cast<int64_t>(all.tasks.size()));
      continue;
    }
    const auto before = static_cast<int64_t>(all.tasks.size());
    const StreamTasks tasks = stream_tasks(*product.weights, shares, product.gated());
    for (const ColumnBlock& block : tasks.blocks) all.tasks.push_back({at, block, 0, product.out.rows});
    for (size_t share = 1; share < tasks.bounds.size(); ++share) ends.push_back(before + tasks.bounds[share]);
  }
  const auto wholes = static_cast<int64_t>(ends.size());
  threads = std::min(threads, wholes);
  for (int64_t thread = 1; thread <= threads; ++thread)
    all.bounds.push_back(ends[static_cast<size_t>(wholes * thread / threads - 1)]);
  return all;
}

}  // namespace

std::unique_ptr<ExpertWeights> CpuBackend::experts(int64_t count, const std::function<ExpertSource(int64_t)>& source, DType as) {
  auto weights = std::make_unique<CpuExperts>();
  weights->count = count;
  for (int64_t e = 0; e < count; ++e) {
    const ExpertSource expert = source(e);
    weights->gate_up.push_back(linear(expert.gate_up, as));
    weights->down.push_back(linear(expert.down, as));
  }
  weights->in_features = weights->gate_up[0]->in_features;
  weights->width = weights->down[0]->in_features;
  return weights;
}

void CpuBackend::route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) {
  const int64_t count = router.out_features, k = routes.cols / 2;
  require(routes.rows == in.rows && k <= count, "route: a row for each of the input, and no more experts than there are");
  const size_t bytes = static_cast<size_t>(in.rows * count) * sizeof(float);
  const Matrix z{grown(router_logits_, bytes), DType::F32, in.rows, count, count};
  matmul(z, {in, router}, {});
  for_rows(in.rows, count * kPassesOfRouting, [&](int64_t row) {
    float* p = row_of(z, row);
    const float largest = *std::max_element(p, p + count);
    for (int64_t e = 0; e < count; ++e) p[e] -= largest;
    kernels_.evaluate(MathFunction::Exp, p, p, count);
    float sum = 0;
    for (int64_t e = 0; e < count; ++e) sum += p[e];
    for (int64_t e = 0; e < count; ++e) p[e] /= sum;
    float *numbers = row_of(routes, row), *weights = numbers + k;
    choose(p, count, numbers, weights, k);
    float chosen = 0;
    for (int64_t i = 0; i < k; ++i) chosen += weights[i];
    for (int64_t i = 0; normalizes && i < k; ++i) weights[i] /= chosen;
    sort_by_number(numbers, weights, k);
  });
}

void CpuBackend::multiply_groups(const std::vector<PreparedProduct>& products) {
  const GroupTasks all = group_tasks(products, threads());
  pool_.run_apart(all.bounds, [&](int64_t at, int thread) {
    const GroupTasks::Task& task = all.tasks[static_cast<size_t>(at)];
    const PreparedProduct& product = products[task.product];
    run_block(kernels_, product, task.block, task.row, task.rows, task_memory(thread, product.few));
  });
}

void CpuBackend::mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& opaque) {
  const auto& experts = static_cast<const CpuExperts&>(opaque);
  const int64_t k = routes.cols / 2, slots = x.rows * k;
  require(in.rows == x.rows && routes.rows == x.rows && in.cols == experts.in_features && x.cols == in.cols,
          "mix_experts: shapes fit");
  if (x.rows == 0) return;
  const Grouping grouping = group(routes, experts.count);

  // A product of all groups; slot by slot their input is `input(slot)`.
  const auto multiply = [&](const std::vector<std::unique_ptr<LinearWeights>>& weights, const Matrix& out, Activation activation,
                            int64_t cols, const auto& input) {
    const auto& first = static_cast<const CpuLinear&>(*weights[0]);
    const Int8Rows bytes = first.takes_bytes() ? int8_rows(slots, cols) : Int8Rows{};
    const FactorRows factors = first.takes_bytes() ? FactorRows{} : factor_rows(slots, cols, factor_type(first.parts[0].dtype));
    for_rows(slots, cols, [&](int64_t slot) {
      const Group& of = grouping.groups[static_cast<size_t>(grouping.group_of_slot[static_cast<size_t>(slot)])];
      if (first.takes_bytes()) return kernels_.int8_quantize(bytes.row(slot), input(slot), cols, bytes.stride);
      put_factor(factors, slot, input(slot), cols, of.few);
    });
    std::vector<PreparedProduct> products;
    for (const Group& of : grouping.groups) {
      const auto& layer = static_cast<const CpuLinear&>(*weights[static_cast<size_t>(of.expert)]);
      PreparedProduct product{&layer, out.row_range(of.first, of.slots), {activation, nullptr, nullptr}, of.few};
      if (layer.takes_bytes()) {
        product.bytes = bytes.from(of.first);
      } else {
        product.factor = factors.factor(of.first, of.few);
      }
      products.push_back(product);
    }
    multiply_groups(products);
  };

  const auto slot_rows = [&](Buffer& buffer, int64_t cols) {
    const int64_t stride = row_stride(cols, DType::F32);
    return Matrix{grown(buffer, static_cast<size_t>(slots * stride) * sizeof(float)), DType::F32, slots, cols, stride};
  };
  const Matrix inner = slot_rows(expert_inner_, experts.width), out = slot_rows(expert_out_, x.cols);
  multiply(experts.gate_up, inner, Activation::SwiGlu, in.cols,
           [&](int64_t slot) { return row_of(in, grouping.row_of_slot[static_cast<size_t>(slot)]); });
  multiply(experts.down, out, Activation::None, experts.width, [&](int64_t slot) { return row_of(inner, slot); });
  for_rows(x.rows, x.cols * k, [&](int64_t row) {
    const float* weights = row_of(routes, row) + k;
    kernels_.add_weighted(row_of(x, row), static_cast<const float*>(out.data), out.stride,
                          &grouping.slot_of[static_cast<size_t>(row * k)], weights, k, x.cols);
  });
}

}  // namespace ivl::cpu
