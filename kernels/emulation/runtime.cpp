#include "emulation/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "emulation/memory.h"
#include "emulation/queue.h"
#include "emulation/report.h"
#include "emulation/transfers.h"

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
  std::map<cudaEvent_t, std::shared_ptr<CUevent_st>> events;
  std::map<const void*, int> shared_allowed;  // by kernel
  std::function<bool(int, const void*)> missing_code;
  std::function<void()> on_capture;
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

bool has_code(const void* kernel) { return machine().missing_code == nullptr || !machine().missing_code(current_device, kernel); }

// Launches are on streams of the current device; copies and fills may be on others.
bool is_on_current_device(cudaStream_t stream, const char* what, const void* pc) {
  if (!queue().has(stream) || stream->device == current_device) return true;
  report(Fault::Host, pc,
         std::string(what) + " on a stream of device " + std::to_string(stream->device) + " while the current device is " +
             std::to_string(current_device));
  return false;
}

}  // namespace

void record_launches(std::vector<LaunchRecord>* records) { queue().record_launches(records); }

void set_dry_run(bool dry) {
  const std::lock_guard lock(machine().mutex);
  set_addresses_only(dry);
}

void set_device_count(int count) { machine().devices = count; }

void set_capability(int major) { machine().major = major; }

void set_missing_code(std::function<bool(int device, const void* kernel)> missing) {
  const std::lock_guard lock(machine().mutex);
  machine().missing_code = std::move(missing);
}

void on_capture(std::function<void()> then) {
  const std::lock_guard lock(machine().mutex);
  machine().on_capture = std::move(then);
}

void set_host_access(bool allowed) {
  const std::lock_guard lock(machine().mutex);
  queue().set_host_access(allowed);
}

cudaError_t enqueue_kernel(const char* name, const void* function, const LaunchShape& shape, cudaStream_t stream,
                           const std::function<void()>& kernel) {
  const std::lock_guard lock(machine().mutex);
  if (!has_code(function)) return result(cudaErrorNoKernelImageForDevice);
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
  const void* line = static_cast<const char*>(function) + 1;  // as if it were a return address
  if (!is_on_current_device(stream, "a launch", line)) return result(cudaErrorInvalidResourceHandle);
  return result(queue().enqueue(stream, {task, {name, line}, LaunchRecord{name, function, shape, current_device, cost}, {}}));
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
    case cudaErrorInvalidDeviceFunction: return "cudaErrorInvalidDeviceFunction";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorNoKernelImageForDevice: return "cudaErrorNoKernelImageForDevice";
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
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || static_cast<size_t>(value) > shared_at_most()) {
    return result(cudaErrorInvalidValue);
  }
  machine().shared_allowed[kernel] = value;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  const std::lock_guard lock(machine().mutex);
  if (!has_code(kernel)) return result(cudaErrorNoKernelImageForDevice);
  *attributes = {machine().major * 10};
  return cudaSuccess;
}

// ---- memory --------------------------------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  if (queue().refused_in_capture("cudaMalloc", __builtin_return_address(0))) return result(cudaErrorStreamCaptureUnsupported);
  *memory = allocate_global(bytes, current_device);
  return *memory != nullptr ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* memory) {
  const std::lock_guard lock(machine().mutex);
  if (memory == nullptr) return cudaSuccess;
  const void* pc = __builtin_return_address(0);
  if (queue().refused_in_capture("cudaFree", pc)) return result(cudaErrorStreamCaptureUnsupported);
  const Allocation* allocation = find_allocation(memory);
  if (allocation != nullptr && !queue().finish_device(allocation->device)) return result(cudaErrorLaunchFailure);
  if (allocation != nullptr && !order().host().covers(allocation->users)) {
    report(Fault::Order, pc,
           "cudaFree of memory that another device's stream may still use: it waits for the memory's device alone");
  }
  if (!free_global(memory)) {
    report(Fault::Host, pc, "cudaFree of what cudaMalloc never gave");
    return result(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  *memory = allocate_pinned(bytes);
  return *memory != nullptr ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void* memory) {
  const std::lock_guard lock(machine().mutex);
  if (memory == nullptr) return cudaSuccess;
  const void* pc = __builtin_return_address(0);
  if (!queue().finish_unseen()) return result(cudaErrorLaunchFailure);
  if (has_pinned_uses(memory)) report(Fault::Order, pc, "cudaFreeHost of memory that a copy may still use");
  if (!free_pinned(memory)) {
    report(Fault::Host, pc, "cudaFreeHost of what cudaMallocHost never gave");
    return result(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  return result(enqueue_fill(memory, value, bytes, stream, __builtin_return_address(0)));
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  const Copy copy{static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1, kind,
                  __builtin_return_address(0)};
  return result(enqueue_copy(copy, stream));
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  const Copy copy{static_cast<std::byte*>(to), to_pitch, static_cast<const std::byte*>(from), from_pitch, width, height, kind,
                  __builtin_return_address(0)};
  return result(enqueue_copy(copy, stream));
}

cudaError_t cudaMemcpyPeerAsync(void* to, int /*to_device*/, const void* from, int /*from_device*/, size_t bytes,
                                cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  const Copy copy{
      static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1, cudaMemcpyDeviceToDevice,
      __builtin_return_address(0)};
  return result(enqueue_copy(copy, stream));
}

// ---- streams and events --------------------------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  const std::lock_guard lock(machine().mutex);
  *stream = queue().create_stream(current_device);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  if (!queue().has(stream)) return result(cudaErrorInvalidResourceHandle);
  // It need not be done on a GPU when this returns.
  if (!queue().finish_unseen()) return result(cudaErrorLaunchFailure);
  queue().destroy_stream(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  if (stream != nullptr && !queue().has(stream)) return result(cudaErrorInvalidResourceHandle);
  if (queue().refused_in_capture("a wait", __builtin_return_address(0), stream)) {
    return result(cudaErrorStreamCaptureUnsupported);
  }
  return queue().finish(stream) ? cudaSuccess : result(cudaErrorLaunchFailure);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const std::lock_guard lock(machine().mutex);
  auto made = std::make_shared<CUevent_st>();
  made->timed = (flags & cudaEventDisableTiming) == 0;
  made->device = current_device;
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
  return queue().finish_until(*kept) ? cudaSuccess : result(cudaErrorLaunchFailure);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  const void* pc = __builtin_return_address(0);
  const std::shared_ptr<CUevent_st> kept = machine().events.at(event);
  if (queue().refused_in_capture("an event", pc, stream)) return result(cudaErrorStreamCaptureUnsupported);
  if (queue().has(stream) && stream->device != kept->device) {
    report(
        Fault::Host, pc,
        "an event of device " + std::to_string(kept->device) + " recorded on a stream of device " + std::to_string(stream->device));
    return result(cudaErrorInvalidResourceHandle);
  }
  return result(queue().enqueue_record(stream, kept));
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
  if (!queue().has(stream)) return result(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<CUevent_st> kept = machine().events.at(event);
  if (queue().refused_in_capture("an event", __builtin_return_address(0), stream)) {
    return result(cudaErrorStreamCaptureUnsupported);
  }
  queue().enqueue_wait(stream, kept);
  return cudaSuccess;
}

// ---- graphs --------------------------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  std::function<void()> then;
  {
    const std::lock_guard lock(machine().mutex);
    if (!queue().has(stream)) return result(cudaErrorInvalidResourceHandle);
    if (!queue().begin_capture(stream)) return result(cudaErrorInvalidValue);
    then = machine().on_capture;
  }
  if (then != nullptr) then();  // others need the mutex
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(machine().mutex);
  *graph = nullptr;
  std::unique_ptr<CUgraph_st> captured = queue().end_capture(stream);
  if (captured == nullptr) return result(cudaErrorInvalidValue);
  if (!captured->valid) return result(cudaErrorStreamCaptureInvalidated);
  *graph = captured.release();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long /*flags*/) {
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const std::lock_guard lock(machine().mutex);
  for (const Work& work : executable->nodes) {
    const cudaError_t error = queue().enqueue(stream, work);
    if (error != cudaSuccess) return result(error);
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
