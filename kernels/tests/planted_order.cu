#include "tests/planted_order.h"

#include "tests/planted.h"

namespace planted {
namespace {

constexpr size_t kBytes = kCount * sizeof(float);

__global__ void add_one(float* data) { data[threadIdx.x] += 1; }
__global__ void overwrite(float* data) { data[threadIdx.x] = 2; }            // fault: overwritten_under_a_copy
__global__ void overwrite_for_both(float* data) { data[threadIdx.x] = 2; }   // fault: one_of_two_readers_forgotten
__global__ void overwrite_each_time(float* data) { data[threadIdx.x] = 2; }  // fault: replayed_under_a_copy

template <void (*Kernel)(float*)>
void start(float* data, cudaStream_t stream) {
  gpu::launch<Kernel>("planted", dim3(1), dim3(kCount), 0, stream, data);
}

// ---- unordered -------------------------------------------------------------------------------------------------------

void read_without_a_wait(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);  // fault: read_without_a_wait
}

// The receiver waits for the sender, but the sender not for the copy.
void overwritten_under_a_copy(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaEventRecord(with.event, with.a);
  cudaStreamWaitEvent(with.far, with.event);
  cudaMemcpyPeerAsync(with.far_copy, 1, with.data, 0, kBytes, with.far);
  start<overwrite>(with.data, with.a);
}

void written_by_two(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaMemsetAsync(with.data + kCount - 1, 0, sizeof(float), with.b);  // fault: written_by_two
}

void recorded_too_early(Streams& with) {
  cudaEventRecord(with.event, with.a);
  start<add_one>(with.data, with.a);
  cudaStreamWaitEvent(with.b, with.event);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);  // fault: recorded_too_early
}

void waited_for_before_it_was_recorded(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaStreamWaitEvent(with.b, with.event);
  cudaEventRecord(with.event, with.a);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);  // fault: waited_for_before_it_was_recorded
}

void the_wrong_stream_waits(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaEventRecord(with.event, with.a);
  cudaStreamWaitEvent(with.a, with.event);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);  // fault: the_wrong_stream_waits
}

void recorded_on_the_wrong_stream(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaEventRecord(with.event, with.b);
  cudaStreamWaitEvent(with.b, with.event);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);  // fault: recorded_on_the_wrong_stream
}

void one_of_two_readers_forgotten(Streams& with) {
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);
  cudaMemcpyPeerAsync(with.far_copy, 1, with.data, 0, kBytes, with.far);
  cudaEventRecord(with.far_event, with.far);
  cudaStreamWaitEvent(with.a, with.far_event);
  start<overwrite_for_both>(with.data, with.a);
}

template <void (*Kernel)(float*)>
cudaGraphExec_t captured(Streams& with) {
  cudaStreamBeginCapture(with.a, cudaStreamCaptureModeThreadLocal);
  start<Kernel>(with.data, with.a);
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(with.a, &graph);
  cudaGraphExec_t executable = nullptr;
  cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  return executable;
}

void replayed_under_a_copy(Streams& with) {
  const cudaGraphExec_t graph = captured<overwrite_each_time>(with);
  cudaGraphLaunch(graph, with.a);
  cudaEventRecord(with.event, with.a);
  cudaStreamWaitEvent(with.b, with.event);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);
  cudaGraphLaunch(graph, with.a);
  cudaGraphExecDestroy(graph);
}

void freed_under_a_copy_to_another_device(Streams& with) {
  float* freed = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&freed), kBytes);
  cudaMemsetAsync(freed, 0, kBytes, with.a);
  cudaEventRecord(with.event, with.a);
  cudaStreamWaitEvent(with.far, with.event);
  cudaMemcpyPeerAsync(with.far_copy, 1, freed, 0, kBytes, with.far);
  cudaFree(freed);  // fault: freed_under_a_copy_to_another_device
}

// Volatile, or the compiler would know what a copy between cannot change.
void pinned_read_too_early(Streams& with) {
  cudaMemcpyAsync(with.pinned, with.data, kBytes, cudaMemcpyDeviceToHost, with.a);
  static_cast<void>(*static_cast<volatile float*>(with.pinned + 1));  // fault: pinned_read_too_early
}

void pinned_written_too_early(Streams& with) {
  cudaMemcpyAsync(with.data, with.pinned, kBytes, cudaMemcpyHostToDevice, with.a);
  *static_cast<volatile float*>(with.pinned + kCount - 1) = 1;  // fault: pinned_written_too_early
}

void pinned_freed_too_early(Streams& with) {
  void* freed = nullptr;
  cudaMallocHost(&freed, kBytes);
  cudaMemcpyAsync(with.data, freed, kBytes, cudaMemcpyHostToDevice, with.a);
  cudaFreeHost(freed);  // fault: pinned_freed_too_early
}

// ---- ordered ---------------------------------------------------------------------------------------------------------

void events_both_ways(Streams& with) {
  for (int round = 0; round < 3; round++) {
    start<add_one>(with.data, with.a);
    cudaEventRecord(with.event, with.a);
    cudaStreamWaitEvent(with.far, with.event);
    cudaMemcpyPeerAsync(with.far_copy, 1, with.data, 0, kBytes, with.far);
    cudaEventRecord(with.far_event, with.far);
    cudaStreamWaitEvent(with.a, with.far_event);
  }
}

void a_chain_of_events(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaEventRecord(with.event, with.a);
  cudaStreamWaitEvent(with.b, with.event);
  cudaEventRecord(with.second, with.b);
  cudaStreamWaitEvent(with.far, with.second);
  cudaMemcpyPeerAsync(with.far_copy, 1, with.data, 0, kBytes, with.far);
}

// A wait is for what was recorded when it was called.
void an_event_used_again(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaEventRecord(with.event, with.a);
  cudaStreamWaitEvent(with.b, with.event);
  cudaEventRecord(with.event, with.b);
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);
}

void the_host_waits_for_a_stream(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaStreamSynchronize(with.a);
  start<add_one>(with.data, with.b);
}

void the_host_waits_for_an_event(Streams& with) {
  start<add_one>(with.data, with.a);
  cudaEventRecord(with.event, with.a);
  start<add_one>(with.copy, with.a);
  cudaEventSynchronize(with.event);
  start<add_one>(with.data, with.b);
}

void two_readers(Streams& with) {
  cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);
  cudaMemcpyPeerAsync(with.far_copy, 1, with.data, 0, kBytes, with.far);
  cudaEventRecord(with.event, with.b);
  cudaEventRecord(with.far_event, with.far);
  cudaStreamWaitEvent(with.a, with.event);
  cudaStreamWaitEvent(with.a, with.far_event);
  start<overwrite>(with.data, with.a);
}

void neighbours(Streams& with) {
  cudaMemsetAsync(with.data, 0, kBytes / 2, with.a);
  cudaMemsetAsync(with.data + kCount / 2, 0, kBytes / 2, with.b);
}

void a_graph_between_events(Streams& with) {
  const cudaGraphExec_t graph = captured<overwrite>(with);
  for (int round = 0; round < 2; round++) {
    cudaGraphLaunch(graph, with.a);
    cudaEventRecord(with.event, with.a);
    cudaStreamWaitEvent(with.b, with.event);
    cudaMemcpyAsync(with.copy, with.data, kBytes, cudaMemcpyDeviceToDevice, with.b);
    cudaEventRecord(with.second, with.b);
    cudaStreamWaitEvent(with.a, with.second);
  }
  cudaGraphExecDestroy(graph);
}

// cudaFree waits for all streams of the memory's device.
void freed_by_a_device_that_waits(Streams& with) {
  float* freed = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&freed), kBytes);
  cudaMemsetAsync(freed, 0, kBytes, with.a);
  start<add_one>(with.data, with.b);
  cudaFree(freed);
  start<add_one>(with.data, with.a);
}

void pinned_read_while_it_is_read(Streams& with) {
  with.pinned[0] = 3;
  cudaMemcpyAsync(with.data, with.pinned, kBytes, cudaMemcpyHostToDevice, with.a);
  static_cast<void>(*static_cast<volatile float*>(with.pinned));
}

void pinned_used_beside_a_copy_and_behind_it(Streams& with) {
  cudaMemcpyAsync(with.pinned, with.data, kBytes / 2, cudaMemcpyDeviceToHost, with.a);
  with.pinned[kCount / 2] = 1;
  cudaEventRecord(with.event, with.a);
  cudaMemcpyAsync(with.pinned, with.data, kBytes / 2, cudaMemcpyDeviceToHost, with.a);
  cudaStreamSynchronize(with.a);
  with.pinned[0] = 1;
}

#define PLANTED(name) \
  Program { #name, name }

const Program unordered_programs[] = {
    PLANTED(read_without_a_wait),
    PLANTED(overwritten_under_a_copy),
    PLANTED(written_by_two),
    PLANTED(recorded_too_early),
    PLANTED(waited_for_before_it_was_recorded),
    PLANTED(the_wrong_stream_waits),
    PLANTED(recorded_on_the_wrong_stream),
    PLANTED(one_of_two_readers_forgotten),
    PLANTED(replayed_under_a_copy),
    PLANTED(freed_under_a_copy_to_another_device),
    PLANTED(pinned_read_too_early),
    PLANTED(pinned_written_too_early),
    PLANTED(pinned_freed_too_early),
};

const Program ordered_programs[] = {
    PLANTED(events_both_ways),
    PLANTED(a_chain_of_events),
    PLANTED(an_event_used_again),
    PLANTED(the_host_waits_for_a_stream),
    PLANTED(the_host_waits_for_an_event),
    PLANTED(two_readers),
    PLANTED(neighbours),
    PLANTED(a_graph_between_events),
    PLANTED(freed_by_a_device_that_waits),
    PLANTED(pinned_read_while_it_is_read),
    PLANTED(pinned_used_beside_a_copy_and_behind_it),
};

}  // namespace

std::span<const Program> unordered() { return unordered_programs; }
std::span<const Program> ordered() { return ordered_programs; }

}  // namespace planted
