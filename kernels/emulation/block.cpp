#include "emulation/block.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "emulation/async_copy.h"
#include "emulation/checks.h"
#include "emulation/counters.h"
#include "emulation/fences.h"
#include "emulation/fiber.h"
#include "emulation/memory.h"
#include "emulation/report.h"
#include "emulation/thread.h"

namespace simt {
namespace {

constexpr uint32_t kWarp = 32;
constexpr uint32_t kMaxThreads = 1024;

// Stacks are made once and used by every block. A power of two apart, their ends would all compete for the same few lines of
// a cache.
std::byte* stack_of(uint32_t thread) {
  constexpr size_t kApart = Fiber::kStackBytes + 17 * 64;
  static std::byte* const stacks = [] {
    void* memory = mmap(nullptr, kMaxThreads * kApart, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      throw std::runtime_error("emulation: no memory for the threads' stacks");
    }
    return static_cast<std::byte*>(memory);
  }();
  return stacks + thread * kApart;
}

class Grid {
 public:
  Grid(const char* name, const LaunchShape& shape, int device, const std::function<void()>& kernel)
      : name_(name), shape_(shape), device_(device), kernel_(kernel), random_(options().seed), launch_(running_work) {
    forget_releases();
    threads_.resize(shape.block.count());
    may_run_.resize(warps());
    for (auto& thread : threads_) {
      thread = std::make_unique<Thread>();
    }
  }

  // Block after block, until the last, a divergence or an access to nothing.
  void run();

  const char* name_;
  const LaunchShape& shape_;
  int device_;
  const std::function<void()>& kernel_;
  std::mt19937_64 random_;
  WorkId launch_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<char> may_run_;  // by warp: whether one of its threads waits for nothing
  Thread* running_ = nullptr;
  bool abandoned_ = false;
  std::map<const void*, size_t> static_shared_;  // where in shared memory the array declared there begins

 private:
  void start_block(uint32_t block);
  bool run_block();  // false: it could not end
  bool run_warp(uint32_t warp);
  bool release_warp(uint32_t warp);
  bool release_block();
  void share_fences(uint32_t first, uint32_t count);
  void report_stuck();
  uint32_t warps() const { return (shape_.block.count() + kWarp - 1) / kWarp; }
  uint32_t lanes_of(uint32_t warp) const { return std::min(kWarp, shape_.block.count() - warp * kWarp); }
};

Grid* grid = nullptr;

void thread_main(void* argument) {
  auto* thread = static_cast<Thread*>(argument);
  grid->kernel_();
  end_of_thread(*thread);
  thread->wait = Wait::Ended;
  thread->fiber.finish();
}

// One more barrier or fence. Accesses of two of them must not look like those of one.
void count_up(uint16_t& epoch) {
  if (++epoch == 0) {
    throw std::runtime_error("emulation: more barriers or fences in a thread than are counted");
  }
}

Dim3 unfold(uint32_t index, const Dim3& size) { return {index % size.x, index / size.x % size.y, index / size.x / size.y}; }

void Grid::start_block(uint32_t block) {
  reset_shared_memory(shape_.shared_bytes);
  for (uint32_t i = 0; i < threads_.size(); i++) {
    Thread& thread = *threads_[i];
    thread.index = {unfold(i, shape_.block), unfold(block, shape_.grid)};
    thread.number = i;
    thread.clock = {launch_, block, static_cast<uint16_t>(i), 0, 0, 0};
    thread.fences = {};
    thread.wait = Wait::Nothing;
    thread.copies.clear();
    thread.products.clear();
    thread.fiber.prepare(stack_of(i), thread_main, &thread);
  }
  std::fill(may_run_.begin(), may_run_.end(), true);
}

void Grid::run() {
  bool going = true;
  for (uint32_t block = 0; going && block < shape_.grid.count(); block++) {
    start_block(block);
    going = run_block();
  }
}

bool Grid::run_block() {
  std::vector<uint32_t> order(warps());
  std::iota(order.begin(), order.end(), 0);
  if (options().seed != 0) {
    std::shuffle(order.begin(), order.end(), random_);
  }
  while (true) {
    bool progress = false;
    for (uint32_t warp : order) {
      if (!may_run_[warp]) {
        continue;
      }
      progress = true;
      if (!run_warp(warp)) {
        return false;
      }
    }
    // What waited before this round still does, for all that its own warp can do.
    for (uint32_t warp : order) {
      may_run_[warp] = may_run_[warp] && release_warp(warp);
    }
    progress = release_block() || progress;
    const bool ended = std::all_of(threads_.begin(), threads_.end(), [](const auto& t) { return t->wait == Wait::Ended; });
    if (ended) {
      return true;
    }
    if (!progress) {
      report_stuck();
      return false;
    }
  }
}

// Each thread that waits for nothing goes on until it does. False: the launch is given up.
bool Grid::run_warp(uint32_t warp) {
  for (uint32_t lane = 0; lane < lanes_of(warp); lane++) {
    Thread& thread = *threads_[warp * kWarp + lane];
    if (thread.wait == Wait::Nothing) {
      running_ = &thread;
      thread.fiber.resume();
      running_ = nullptr;
    }
    if (abandoned_) {
      return false;
    }
  }
  if (options().counters) {
    count_warp(&threads_[warp * kWarp], lanes_of(warp));
  }
  return true;
}

// Lets the lanes go on whose whole mask waits at the same collective.
bool Grid::release_warp(uint32_t warp) {
  bool progress = false;
  for (uint32_t lane = 0; lane < lanes_of(warp); lane++) {
    Thread& first = *threads_[warp * kWarp + lane];
    if (first.wait != Wait::Warp) {
      continue;
    }
    bool all = true;
    void* arguments[kWarp] = {};
    for (uint32_t other = 0; other < kWarp; other++) {
      if ((first.mask >> other & 1) == 0) {
        continue;
      }
      const Thread* thread = other < lanes_of(warp) ? threads_[warp * kWarp + other].get() : nullptr;
      all = all && thread != nullptr && thread->wait == Wait::Warp && thread->mask == first.mask &&
            thread->collective == first.collective;
      arguments[other] = all ? thread->argument : nullptr;
    }
    if (!all) {
      continue;
    }
    first.apply(arguments);
    const bool orders = first.orders_memory && first.mask == 0xffffffffu;
    for (uint32_t other = 0; other < lanes_of(warp); other++) {
      Thread& thread = *threads_[warp * kWarp + other];
      if ((first.mask >> other & 1) != 0) {
        if (orders) count_up(thread.clock.warp_epoch);
        thread.wait = Wait::Nothing;
      }
    }
    if (orders) {
      share_fences(warp * kWarp, lanes_of(warp));
    }
    progress = true;
  }
  return progress;
}

bool Grid::release_block() {
  const auto waits = [](const auto& thread) { return thread->wait == Wait::Block; };
  if (!std::all_of(threads_.begin(), threads_.end(), waits)) {
    return false;
  }
  for (auto& thread : threads_) {
    if (thread->pc != threads_[0]->pc) {
      report(Fault::Divergence, thread->pc, "threads of one block wait at different barriers");
      break;
    }
  }
  for (auto& thread : threads_) {
    count_up(thread->clock.block_epoch);
    thread->wait = Wait::Nothing;
  }
  std::fill(may_run_.begin(), may_run_.end(), true);
  share_fences(0, shape_.block.count());
  return true;
}

// Threads that met: what fences order before one of them is before all.
void Grid::share_fences(uint32_t first, uint32_t count) {
  Fences all;
  for (uint32_t i = first; i < first + count; i++) {
    all.learn_from(threads_[i]->fences);
  }
  for (uint32_t i = first; !all.know_nothing() && i < first + count; i++) {
    threads_[i]->fences.learn_from(all);
  }
}

// Nobody can go on: somebody waits for threads that ended or wait elsewhere.
void Grid::report_stuck() {
  for (auto& thread : threads_) {
    if (thread->wait == Wait::Block || thread->wait == Wait::Warp) {
      const bool warp = thread->wait == Wait::Warp;
      report(Fault::Divergence, thread->pc,
             std::string(warp ? thread->collective : "__syncthreads") + " is not reached by all threads of the " +
                 (warp ? "mask" : "block") + "; thread " + std::to_string(thread->number) + " waits");
    }
  }
}

Thread& running() {
  if (grid == nullptr || grid->running_ == nullptr) {
    throw std::logic_error("emulation: a device function was called outside of a kernel");
  }
  return *grid->running_;
}

}  // namespace

Options& options() {
  static Options current;
  return current;
}

void run_grid(const char* name, const LaunchShape& shape, int device, const std::function<void()>& kernel) {
  if (grid != nullptr) {
    throw std::logic_error("emulation: a launch inside of a kernel");
  }
  if (shape.block.count() == 0 || shape.block.count() > kMaxThreads || shape.grid.count() == 0) {
    throw std::invalid_argument(std::string("emulation: ") + name + ": no launch of this shape is possible");
  }
  Grid launch(name, shape, device, kernel);
  grid = &launch;
  launch.run();
  grid = nullptr;
}

Thread& this_fiber() { return running(); }
const ThreadIndex& this_thread() { return running().index; }
const LaunchShape& this_launch() { return grid->shape_; }
int this_device() { return grid->device_; }
uint32_t this_lane() { return running().number % kWarp; }
bool in_kernel() { return grid != nullptr && grid->running_ != nullptr; }
std::string current_kernel() { return grid == nullptr ? "" : grid->name_; }

void* static_shared(const void* place, size_t bytes) {
  Allocation& shared = shared_memory();
  const auto known = grid->static_shared_.find(place);
  const size_t begin = known != grid->static_shared_.end() ? known->second : (shared.bytes + 15) / 16 * 16;
  grid->static_shared_[place] = begin;
  grow_shared_memory(begin + bytes);
  if (begin + bytes > grid->shape_.shared_allowed) {
    report(Fault::Host, __builtin_return_address(0),
           "a launch with more than " + std::to_string(grid->shape_.shared_allowed) +
               " bytes of shared memory, the kernel's own arrays counted in, that were not asked for");
  }
  return shared.begin + begin;
}

void thread_fence() {
  Thread& thread = running();
  count_up(thread.clock.fences);
  thread.fences.fence(thread.clock);
}

void abandon_launch() {
  Thread& thread = running();
  grid->abandoned_ = true;
  thread.fiber.suspend();
  std::abort();  // nobody resumes it
}

void block_barrier(const void* pc) {
  Thread& thread = running();
  thread.wait = Wait::Block;
  thread.pc = pc;
  thread.fiber.suspend();
}

void warp_collective(const char* name, uint32_t mask, WarpFunction apply, void* argument, bool orders_memory, const void* pc) {
  Thread& thread = running();
  thread.wait = Wait::Warp;
  thread.collective = name;
  thread.mask = mask;
  thread.apply = apply;
  thread.argument = argument;
  thread.orders_memory = orders_memory;
  thread.pc = pc;
  thread.fiber.suspend();
}

}  // namespace simt
