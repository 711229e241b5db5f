#include "emulation/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "emulation/memory.h"
#include "emulation/report.h"

// An event is where its last record stands: `recorded` counts them, `reached` is how far the streams have come.
struct CUevent_st {
  uint64_t recorded = 0;
  uint64_t reached = 0;
  bool timed = true;
  std::chrono::steady_clock::time_point when;  // it was last reached
};

// Work in the order it was captured.
struct CUgraph_st {
  struct Node {
    std::function<void()> run;
    std::optional<simt::LaunchRecord> launch;
  };
  std::vector<Node> nodes;
  bool valid = true;
};

struct CUgraphExec_st {
  std::vector<CUgraph_st::Node> nodes;
};

struct CUstream_st {
  struct Task {
    std::function<void()> run;
    std::shared_ptr<CUevent_st> awaited;  // with `count`: not before that record
    uint64_t count = 0;
  };
  int device = 0;
  std::deque<Task> tasks;
  std::unique_ptr<CUgraph_st> captured;  // while it is
  bool ready() const {
    return !tasks.empty() && (tasks.front().awaited == nullptr || tasks.front().awaited->reached >= tasks.front().count);
  }
};

namespace simt {
namespace {

// The limits of every GPU since compute capability 3.
constexpr uint32_t kMaxThreads = 1024;
constexpr uint32_t kMaxGridX = 0x7fffffff;
constexpr uint32_t kMaxGridYZ = 65535;
// Of shared memory, without asking.
constexpr size_t kSharedUnasked = 48 << 10;

struct Machine {
  std::recursive_mutex mutex;
  int devices = 1;
  int major = 8;  // compute capability
  std::vector<std::unique_ptr<CUstream_st>> streams;
  std::map<cudaEvent_t, std::shared_ptr<CUevent_st>> events;
  std::map<const std::byte*, size_t> pinned;
  std::map<const void*, int> shared_allowed;  // by kernel
  std::mt19937_64 random;
  bool host_access = true;
  std::vector<LaunchRecord>* records = nullptr;
  gpu::Cost next_cost;
};

Machine& machine() {
  static Machine one;
  return one;
}

size_t shared_at_most() { return (machine().major >= 9 ? 227 : 163) << 10; }

// CUDA's current device is a thread's own.
thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;
// The stream that this thread captures.
thread_local cudaStream_t capturing = nullptr;

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

bool is_possible(const LaunchShape& shape) {
  const Dim3& grid = shape.grid;
  const Dim3& block = shape.block;
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && block.count() > 0 && grid.x <= kMaxGridX && grid.y <= kMaxGridYZ &&
         grid.z <= kMaxGridYZ && block.count() <= kMaxThreads && block.z <= 64;
}

bool is_pinned(const void* address, size_t bytes) {
  const auto* at = static_cast<const std::byte*>(address);
  auto found = machine().pinned.upper_bound(at);
  if (found == machine().pinned.begin()) return false;
  --found;
  return at + bytes <= found->first + found->second;
}

// Opens device memory while emulated work runs.
class Running {
 public:
  Running() {
    if (!machine().host_access && depth_++ == 0) open_global(true);
  }
  ~Running() {
    if (!machine().host_access && --depth_ == 0) open_global(false);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  static inline int depth_ = 0;
};

void run_front(CUstream_st& stream) {
  const Running running;
  const std::function<void()> task = std::move(stream.tasks.front().run);
  stream.tasks.pop_front();
  const int device = current_device;
  current_device = stream.device;
  task();
  current_device = device;
}

// Runs queued work, of streams by lot, until `done`. False if nothing can run and it is not.
template <class Done>
bool run_until(const Done& done) {
  while (!done()) {
    std::vector<CUstream_st*> ready;
    for (const auto& stream : machine().streams) {
      if (stream->ready()) ready.push_back(stream.get());
    }
    if (ready.empty()) {
      report(Fault::Host, __builtin_return_address(0), "a wait for work that nothing will ever do");
      return false;
    }
    run_front(*ready[machine().random() % ready.size()]);
  }
  return true;
}

bool all_idle() {
  return std::all_of(machine().streams.begin(), machine().streams.end(), [](const auto& s) { return s->tasks.empty(); });
}

bool is_stream(cudaStream_t stream) {
  return std::any_of(machine().streams.begin(), machine().streams.end(), [&](const auto& s) { return s.get() == stream; });
}

// What a capture cannot hold ends it; `what` names it. False if there is none.
bool refused_in_capture(const char* what, const void* pc) {
  if (capturing == nullptr) return false;
  capturing->captured->valid = false;
  report(Fault::Host, pc, std::string("in a capture: ") + what);
  return true;
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> task, std::optional<LaunchRecord> launch = {}) {
  if (stream != nullptr && stream == capturing) {
    stream->captured->nodes.push_back({std::move(task), std::move(launch)});
    return cudaSuccess;
  }
  if (launch) {
    if (machine().records != nullptr) machine().records->push_back(*launch);
    if (addresses_only()) return cudaSuccess;
  }
  if (stream == nullptr) {
    const Running running;
    if (!run_until(all_idle)) return result(cudaErrorLaunchFailure);
    task();
    return cudaSuccess;
  }
  if (!is_stream(stream)) {
    report(Fault::Host, __builtin_return_address(0), "a stream that does not exist");
    return result(cudaErrorInvalidResourceHandle);
  }
  stream->tasks.push_back({std::move(task), nullptr, 0});
  return cudaSuccess;
}

// The parts of a copy lie in live allocations of one of the devices, or outside of all device memory.
bool check_device_range(const void* address, size_t bytes, const void* pc) {
  const Allocation* allocation = find_allocation(address);
  if (allocation != nullptr && allocation->holds(address, bytes)) return true;
  report(Fault::Bounds, pc, "a copy of " + std::to_string(bytes) + " bytes beyond device memory");
  return false;
}

// What was never written stays so when it is copied between devices' memories; a copy to the host must not read it.
bool check_written(const void* address, size_t bytes, const void* pc) {
  Allocation* allocation = find_allocation(address);
  const auto first = static_cast<size_t>(static_cast<const std::byte*>(address) - allocation->begin);
  for (size_t byte = first; byte < first + bytes; byte++) {
    if ((allocation->cell(byte).written >> byte % 2 & 1) == 0) {
      report(Fault::Uninitialized, pc, "a copy to the host of bytes that nothing wrote");
      return false;
    }
  }
  return true;
}

struct Copy {
  std::byte* to;
  size_t to_pitch;
  const std::byte* from;
  size_t from_pitch;
  size_t width;
  size_t height;
  cudaMemcpyKind kind;
  const void* pc;
};

void run_copy(const Copy& copy) {
  for (size_t row = 0; row < copy.height; row++) {
    std::byte* to = copy.to + row * copy.to_pitch;
    const std::byte* from = copy.from + row * copy.from_pitch;
    if (copy.kind != cudaMemcpyHostToDevice && !check_device_range(from, copy.width, copy.pc)) return;
    if (copy.kind != cudaMemcpyDeviceToHost && !check_device_range(to, copy.width, copy.pc)) return;
    if (copy.kind == cudaMemcpyDeviceToHost) check_written(from, copy.width, copy.pc);
    std::memcpy(to, from, copy.width);
    if (copy.kind != cudaMemcpyDeviceToHost) mark_written(to, copy.width);
  }
}

// Pageable host memory is read before the call returns and written before it returns; pinned memory is touched late.
cudaError_t copy(const Copy& wanted, cudaStream_t stream) {
  if (wanted.width == 0 || wanted.height == 0 || addresses_only()) return cudaSuccess;
  if (wanted.to_pitch < wanted.width || wanted.from_pitch < wanted.width) return result(cudaErrorInvalidValue);
  const bool to_host = wanted.kind == cudaMemcpyDeviceToHost;
  const bool from_host = wanted.kind == cudaMemcpyHostToDevice;
  const void* host = to_host ? static_cast<const void*>(wanted.to) : wanted.from;
  if ((to_host || from_host) && !is_pinned(host, 1) && refused_in_capture("a copy of pageable memory", wanted.pc)) {
    return result(cudaErrorStreamCaptureUnsupported);
  }
  if (from_host && !is_pinned(wanted.from, 1)) {
    auto staged = std::make_shared<std::vector<std::byte>>(wanted.width * wanted.height);
    for (size_t row = 0; row < wanted.height; row++) {
      std::memcpy(staged->data() + row * wanted.width, wanted.from + row * wanted.from_pitch, wanted.width);
    }
    Copy late = wanted;
    late.from = staged->data();
    late.from_pitch = late.width;
    return enqueue(stream, [late, staged] { run_copy(late); });
  }
  const cudaError_t error = enqueue(stream, [wanted] { run_copy(wanted); });
  if (error == cudaSuccess && to_host && !is_pinned(wanted.to, 1)) return cudaStreamSynchronize(stream);
  return error;
}

}  // namespace

void record_launches(std::vector<LaunchRecord>* records) { machine().records = records; }

void set_dry_run(bool dry) {
  const std::lock_guard lock(machine().mutex);
  set_addresses_only(dry);
}

void set_device_count(int count) { machine().devices = count; }

void set_capability(int major) { machine().major = major; }

void set_host_access(bool allowed) {
  const std::lock_guard lock(machine().mutex);
  machine().host_access = allowed;
  open_global(allowed);
}

cudaError_t enqueue_kernel(const char* name, const void* function, const LaunchShape& shape, cudaStream_t stream,
                           const std::function<void()>& kernel) {
  const std::lock_guard lock(machine().mutex);
  if (!is_possible(shape)) return result(cudaErrorInvalidConfiguration);
  const auto asked = machine().shared_allowed.find(function);
  const size_t allowed = asked == machine().shared_allowed.end() ? kSharedUnasked : static_cast<size_t>(asked->second);
  if (shape.shared_bytes > std::max(allowed, kSharedUnasked)) return result(cudaErrorInvalidValue);
  const gpu::Cost cost = std::exchange(machine().next_cost, {});
  LaunchShape held = shape;
  held.shared_allowed = asked == machine().shared_allowed.end() ? kSharedUnasked : shared_at_most();
  const auto task = [name = std::string(name), shape = held, kernel, device = current_device] {
    run_grid(name.c_str(), shape, device, kernel);
  };
  return enqueue(stream, task, LaunchRecord{name, function, shape, current_device, cost});
}

}  // namespace simt

void gpu::next_launch_costs(const Cost& cost) {
  const std::lock_guard lock(simt::machine().mutex);
  simt::machine().next_cost = cost;
}

using namespace simt;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
  }
  return "?";
}

const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

// ---- devices -------------------------------------------------------------------------------------------------------

cudaError_t cudaGetDeviceCount(int* count) {
  *count = machine().devices;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= machine().devices) return result(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= machine().devices) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated GPU");
  properties->totalGlobalMem = device_capacity(device);
  properties->major = machine().major;
  properties->minor = 0;
  properties->multiProcessorCount = 108;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (device < 0 || device >= machine().devices) return result(cudaErrorInvalidDevice);
  if (attribute != cudaDevAttrComputeCapabilityMajor) return result(cudaErrorInvalidValue);
  *value = machine().major;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = device_capacity(current_device);
  *free = *total - device_bytes_in_use(current_device);
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const std::lock_guard lock(machine().mutex);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
      static_cast<size_t>(value) > shared_at_most()) {
    return result(cudaErrorInvalidValue);
  }
  machine().shared_allowed[kernel] = value;
  return cudaSuccess;
}

// ---- memory --------------------------------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  if (refused_in_capture("cudaMalloc", __builtin_return_address(0))) return result(cudaErrorStreamCaptureUnsupported);
  *memory = allocate_global(bytes, current_device);
  return *memory != nullptr ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* memory) {
  const std::lock_guard lock(machine().mutex);
  if (memory == nullptr) return cudaSuccess;
  if (refused_in_capture("cudaFree", __builtin_return_address(0))) return result(cudaErrorStreamCaptureUnsupported);
  if (!run_until(all_idle)) return result(cudaErrorLaunchFailure);  // it waits for the device
  const Running running;
  if (!free_global(memory)) {
    report(Fault::Host, __builtin_return_address(0), "cudaFree of what cudaMalloc never gave");
    return result(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  auto* begin = new std::byte[bytes];
  machine().pinned[begin] = bytes;
  *memory = begin;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  const std::lock_guard lock(machine().mutex);
  if (memory == nullptr) return cudaSuccess;
  if (!run_until(all_idle)) return result(cudaErrorLaunchFailure);
  if (machine().pinned.erase(static_cast<std::byte*>(memory)) == 0) {
    report(Fault::Host, __builtin_return_address(0), "cudaFreeHost of what cudaMallocHost never gave");
    return result(cudaErrorInvalidValue);
  }
  delete[] static_cast<std::byte*>(memory);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  if (bytes == 0 || addresses_only()) return cudaSuccess;
  const void* pc = __builtin_return_address(0);
  return enqueue(stream, [=] {
    if (!check_device_range(memory, bytes, pc)) return;
    std::memset(memory, value, bytes);
    mark_written(memory, bytes);
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  return copy({static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1, kind,
               __builtin_return_address(0)},
              stream);
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  return copy({static_cast<std::byte*>(to), to_pitch, static_cast<const std::byte*>(from), from_pitch, width, height, kind,
               __builtin_return_address(0)},
              stream);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int /*to_device*/, const void* from, int /*from_device*/, size_t bytes,
                                cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  return copy({static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1,
               cudaMemcpyDeviceToDevice, __builtin_return_address(0)},
              stream);
}

// ---- streams and events --------------------------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  const std::lock_guard lock(machine().mutex);
  machine().streams.push_back(std::make_unique<CUstream_st>());
  *stream = machine().streams.back().get();
  (*stream)->device = current_device;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  const cudaError_t error = cudaStreamSynchronize(stream);
  auto& streams = machine().streams;
  streams.erase(std::remove_if(streams.begin(), streams.end(), [&](const auto& s) { return s.get() == stream; }),
                streams.end());
  return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  if (stream != nullptr && !is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  if (refused_in_capture("a wait", __builtin_return_address(0))) return result(cudaErrorStreamCaptureUnsupported);
  const bool done = stream == nullptr ? run_until(all_idle) : run_until([&] { return stream->tasks.empty(); });
  return done ? cudaSuccess : result(cudaErrorLaunchFailure);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const std::lock_guard lock(machine().mutex);
  auto made = std::make_shared<CUevent_st>();
  made->timed = (flags & cudaEventDisableTiming) == 0;
  *event = made.get();
  machine().events[made.get()] = std::move(made);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(machine().mutex);
  return machine().events.erase(event) == 1 ? cudaSuccess : result(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const std::lock_guard lock(machine().mutex);
  const std::shared_ptr<CUevent_st> kept = machine().events.at(event);
  const uint64_t count = kept->recorded;
  return run_until([&] { return kept->reached >= count; }) ? cudaSuccess : result(cudaErrorLaunchFailure);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  const std::shared_ptr<CUevent_st> kept = machine().events.at(event);
  if (refused_in_capture("an event", __builtin_return_address(0))) return result(cudaErrorStreamCaptureUnsupported);
  const uint64_t count = ++kept->recorded;
  return enqueue(stream, [kept, count] {
    kept->reached = std::max(kept->reached, count);
    kept->when = std::chrono::steady_clock::now();
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const std::lock_guard lock(machine().mutex);
  const CUevent_st& from = *machine().events.at(begin);
  const CUevent_st& to = *machine().events.at(end);
  if (!from.timed || !to.timed || from.recorded == 0 || to.recorded == 0) return result(cudaErrorInvalidResourceHandle);
  if (from.reached < from.recorded || to.reached < to.recorded) return result(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(to.when - from.when).count();
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  const std::lock_guard lock(machine().mutex);
  if (!is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<CUevent_st> kept = machine().events.at(event);
  if (refused_in_capture("an event", __builtin_return_address(0))) return result(cudaErrorStreamCaptureUnsupported);
  stream->tasks.push_back({[] {}, kept, kept->recorded});
  return cudaSuccess;
}

// ---- graphs --------------------------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  const std::lock_guard lock(machine().mutex);
  if (!is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  if (capturing != nullptr) return result(cudaErrorInvalidValue);
  stream->captured = std::make_unique<CUgraph_st>();
  capturing = stream;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(machine().mutex);
  *graph = nullptr;
  if (stream == nullptr || stream != capturing) return result(cudaErrorInvalidValue);
  capturing = nullptr;
  const std::unique_ptr<CUgraph_st> captured = std::move(stream->captured);
  if (!captured->valid) return result(cudaErrorStreamCaptureInvalidated);
  *graph = new CUgraph_st(*captured);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long /*flags*/) {
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  for (const CUgraph_st::Node& node : executable->nodes) {
    const cudaError_t error = enqueue(stream, node.run, node.launch);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
