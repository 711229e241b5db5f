// The two normalizations of the model family: named by configurations, computed by backends.
#pragma once

#include <cstdint>

namespace ivl {

enum class NormKind : uint8_t { RmsNorm, LayerNorm };

}  // namespace ivl
