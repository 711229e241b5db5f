// What learns, and how: the original script's settings.
#pragma once

#include <cstdint>

#include "backend/gradients.h"
#include "model/param.h"

namespace ivl {

enum class Learns : uint8_t {
  Nothing,
  Lora,  // a pair A, B beside each linear layer
  All    // every parameter
};

struct LoraShape {
  int64_t rank = 16;
  float alpha = 32;
  float scale() const { return alpha / static_cast<float>(rank); }
};

struct Learning {
  Learns decoder = Learns::Lora;  // the embeddings and the head, too, where all learns
  Learns vision = Learns::Nothing;
  Learns projector = Learns::Nothing;  // not Lora
  LoraShape decoder_lora{}, vision_lora{};
  uint64_t seed = 0;  // of A

  Learns of(Part part) const {
    switch (part) {
      case Part::VisionEmbeddings:
      case Part::VisionBlock: return vision;
      case Part::Projector: return projector;
      default: return decoder;
    }
  }
  const LoraShape& lora(Part part) const { return part == Part::VisionBlock ? vision_lora : decoder_lora; }
  bool sees() const { return vision != Learns::Nothing || projector != Learns::Nothing; }
};

}  // namespace ivl
