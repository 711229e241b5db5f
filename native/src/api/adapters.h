// Adapters as callers choose them.
#pragma once

#include <vector>

#include "generate/loaded_adapter.h"
#include "internvl4j/internvl4j.h"

namespace ivl::api {

// Null: none. Error(InvalidArgument) for a negative count, or a null among them.
std::vector<AdapterChoice> choices_of(const ivl_adapters* adapters);

}  // namespace ivl::api
