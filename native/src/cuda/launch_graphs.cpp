#include "cuda/launch_graphs.h"

#include <algorithm>

namespace ivl::cuda {
namespace {

// As many as batches of different size may take turns; a graph of a large model is some megabytes.
constexpr size_t kMostKept = 16;

gpu::LaunchLog logged(const std::function<void()>& pass) {
  struct Logging {
    explicit Logging(gpu::LaunchLog* log) { gpu::launch_log() = log; }
    ~Logging() { gpu::launch_log() = nullptr; }
  };
  gpu::LaunchLog log;
  const Logging logging(&log);
  pass();
  return log;
}

// Ends the capture however the pass ends.
class Capture {
 public:
  explicit Capture(const Device& device) : device_(device) {
    device.use();
    check(cudaStreamBeginCapture(device.stream(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  }
  ~Capture() {
    if (graph_ == nullptr && cudaStreamEndCapture(device_.stream(), &graph_) != cudaSuccess) cudaGetLastError();
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  cudaGraphExec_t executable() {
    check(cudaStreamEndCapture(device_.stream(), &graph_), "cudaStreamEndCapture");
    cudaGraphExec_t graph = nullptr;
    check(cudaGraphInstantiate(&graph, graph_, 0), "cudaGraphInstantiate");
    return graph;
  }

 private:
  const Device& device_;
  cudaGraph_t graph_ = nullptr;
};

}  // namespace

LaunchGraphs::~LaunchGraphs() {
  for (const Kept& kept : kept_) cudaGraphExecDestroy(kept.graph);
}

void LaunchGraphs::run(const Device& device, const std::function<void()>& pass) {
  const Kept& kept = find_or_capture(device, pass);
  device.use();
  check(cudaGraphLaunch(kept.graph, device.stream()), "cudaGraphLaunch");
}

LaunchGraphs::Kept& LaunchGraphs::find_or_capture(const Device& device, const std::function<void()>& pass) {
  gpu::LaunchLog log = logged(pass);
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.log == log; });
  if (found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
    return kept_.front();
  }
  Capture capture(device);
  pass();
  kept_.push_front({std::move(log), capture.executable()});
  ++captured_;
  if (kept_.size() > kMostKept) {
    cudaGraphExecDestroy(kept_.back().graph);
    kept_.pop_back();
  }
  return kept_.front();
}

}  // namespace ivl::cuda
