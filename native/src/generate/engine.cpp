#include "generate/engine.h"

#include <algorithm>

#include "host/next_id.h"

namespace ivl {

Engine::Engine(std::unique_ptr<InternVLChat> model)
    : config_(model->config()),
      precision_(model->precision()),
      kv_shapes_(model->kv_shapes()),
      placement_(model->placement()),
      feature_type_(placement_.decoder.front().backend->activation_type()),
      description_(placement_.description()),
      id_(next_id()),
      model_(std::move(model)) {}

Engine::Turn::Turn(Engine& engine) : engine_(engine) { engine.turns_.lock(); }

Engine::Access::Access(Engine& engine) : Turn(engine) { engine.check_open(); }

void Engine::check_open() const {
  if (closing_.load()) fail(Status::Closed, "the model was closed");
}

void Engine::claim(Recording& recording) const {
  if (!recording.claim(id_)) {
    fail(Status::InvalidArgument, "the recording holds activations of another model, expected a recording of its own for each");
  }
}

int64_t Engine::kv_blocks() const {
  if (placement_.kv_cache == 0) return blocks_for(config_.language.context);
  size_t block = 0;
  for (const KvShape& shape : kv_shapes_) block += shape.block_bytes();
  return std::max<int64_t>(1, placement_.kv_cache / static_cast<int64_t>(block));
}

std::vector<float> Engine::to_host(const Logits& logits) {
  const Turn turn(*this);
  std::vector<float> values(static_cast<size_t>(logits.matrix.rows * logits.matrix.cols));
  logits.backend->to_host(values.data(), logits.matrix);
  return values;
}

std::shared_ptr<Features> Engine::encode(const float* pixels, int64_t count, const std::atomic<bool>* cancelled, Recorder* recorder,
                                         AdapterChoices adapters) {
  const Access model(*this);
  Buffer memory = model->encode(pixels, count, recorder, cancellation(cancelled), adapters.uses());
  return std::make_shared<Features>(shared_from_this(), std::move(memory), count * config_.tokens_per_image(), std::move(adapters));
}

std::shared_ptr<const LoadedAdapter> Engine::load_adapter(const std::filesystem::path& folder) {
  const LoraTensors tensors = LoraTensors::of_folder(folder, config_, ParamTable(config_));
  const Access model(*this);
  return std::make_shared<LoadedAdapter>(shared_from_this(), model->load_adapter(tensors), tensors.sees(), tensors.bytes());
}

void Engine::discard(Buffer memory) noexcept {
  try {
    discard(std::static_pointer_cast<void>(std::make_shared<Buffer>(std::move(memory))));
  } catch (const std::bad_alloc&) {
    return;  // as below
  }
}

void Engine::discard(std::shared_ptr<void> memory) noexcept {
  try {
    const std::lock_guard<std::mutex> lock(discarding_);
    discarded_.push_back(std::move(memory));
  } catch (const std::bad_alloc&) {
    return;  // without room to note it: freed here, which any thread may do
  }
  if (turns_.try_lock()) end_turn();
}

void Engine::end_turn() noexcept {
  do {
    std::vector<std::shared_ptr<void>> freed;
    {
      const std::lock_guard<std::mutex> lock(discarding_);
      freed.swap(discarded_);
    }
    freed.clear();
    turns_.unlock();
    // Who discarded something just before that found the turn taken.
  } while (has_discarded() && turns_.try_lock());
}

bool Engine::has_discarded() noexcept {
  const std::lock_guard<std::mutex> lock(discarding_);
  return !discarded_.empty();
}

void Engine::close() {
  begin_closing();
  const Turn turn(*this);
  model_.reset();
}

}  // namespace ivl
