#include "generate/engine.h"

namespace ivl {

Engine::Engine(std::unique_ptr<InternVLChat> model)
    : config_(model->config()),
      precision_(model->precision()),
      kv_shapes_(model->kv_shapes()),
      placement_(model->placement()),
      model_(std::move(model)) {}

Engine::Access::Access(Engine& engine) : engine_(engine), lock_(engine.mutex_) { engine.check_open(); }

void Engine::check_open() const {
  if (closing_.load()) fail(Status::Closed, "the model was closed");
}

std::vector<float> Engine::to_host(const Logits& logits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<float> values(static_cast<size_t>(logits.matrix.rows * logits.matrix.cols));
  logits.backend->to_host(values.data(), logits.matrix);
  return values;
}

Features Engine::encode(const float* pixels, int64_t count, const std::atomic<bool>* cancelled, Recorder* recorder) {
  const Access model(*this);
  Buffer memory = model->encode(pixels, count, recorder, cancellation(cancelled));
  return Features(placement_.decoder.front().backend, std::move(memory), count * config_.tokens_per_image(), config_.language.hidden);
}

void Engine::close() {
  closing_.store(true);
  const std::lock_guard<std::mutex> lock(mutex_);
  model_.reset();
}

}  // namespace ivl
