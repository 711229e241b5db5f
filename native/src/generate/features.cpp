#include "generate/features.h"

#include "generate/engine.h"
#include "host/next_id.h"

namespace ivl {

Features::Features(std::shared_ptr<Engine> engine, Buffer memory, int64_t rows, AdapterChoices adapters)
    : id_(next_id()),
      engine_(std::move(engine)),
      rows_(rows),
      adapter_key_(adapters.seeing().key()),
      memory_(std::move(memory)),
      encoded_(true) {}

Features::Features(std::shared_ptr<Engine> engine, std::vector<float> pixels, int64_t count, AdapterChoices adapters)
    : id_(next_id()),
      engine_(std::move(engine)),
      rows_(count * engine_->config().tokens_per_image()),
      pictures_(count),
      pixels_(std::move(pixels)),
      adapters_(adapters.seeing()),
      adapter_key_(adapters_.key()) {}

Features::~Features() {
  if (memory_.data() != nullptr) engine_->discard(std::move(memory_));
}

int64_t Features::width() const { return engine_->config().language.hidden; }

size_t Features::bytes() const { return static_cast<size_t>(rows_ * width()) * size_of(engine_->feature_type()); }

void Features::set(Buffer memory) {
  memory_ = std::move(memory);
  pixels_ = {};
  adapters_ = {};
  encoded_.store(true, std::memory_order_release);
}

Matrix Features::matrix() const { return memory_.matrix(engine_->feature_type(), rows_, width()); }

void Features::copy_to(float* out) const {
  if (!encoded()) fail(Status::InvalidArgument, "the features are not encoded yet; a request that uses them does it");
  const Engine::Turn turn(*engine_);
  turn.placement().decoder.front().backend->to_host(out, matrix());
}

}  // namespace ivl
