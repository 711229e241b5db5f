// What a configuration says of weights that are quantized. How they lie is seen in the files (model/formats/).
#pragma once

#include "checkpoint/config_section.h"

namespace ivl {

// Error(Unsupported) if the section has a quantization_config of a kind that is not read: only AWQ's is.
void require_readable_quantization(const ConfigSection& section);

}  // namespace ivl
