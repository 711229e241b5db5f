#include "generate/features.h"

#include "generate/engine.h"
#include "host/next_id.h"

namespace ivl {

Features::Features(std::shared_ptr<Engine> engine, Buffer memory, DType type, int64_t rows, int64_t width)
    : id_(next_id()), engine_(std::move(engine)), memory_(std::move(memory)), type_(type), rows_(rows), width_(width) {}

Features::~Features() {
  if (memory_.data() != nullptr) engine_->discard(std::move(memory_));
}

void Features::copy_to(float* out) const {
  const Engine::Turn turn(*engine_);
  turn.placement().decoder.front().backend->to_host(out, matrix());
}

}  // namespace ivl
