// Adapters merged into checkpoints.
#include "api/barrier.h"
#include "api/convert.h"
#include "convert/adapter_merger.h"

struct ivl_merge {
  ivl::AdapterMerger merger;
};

using namespace ivl;
using namespace ivl::api;

namespace {

MergeRounding rounding_from(int32_t rounding) {
  switch (rounding) {
    case IVL_MERGE_ROUNDING_ONCE: return MergeRounding::Once;
    case IVL_MERGE_ROUNDING_IN_TYPE: return MergeRounding::InType;
  }
  fail(Status::InvalidArgument, cat("rounding is ", rounding, ", expected an ivl_merge_rounding"));
}

}  // namespace

extern "C" {

ivl_status ivl_merge_begin(const char* directory, const char* adapter, const char* output, int32_t rounding, int32_t threads,
                           ivl_merge** out) {
  return guarded([&] {
    const std::filesystem::path from = &given(directory, "directory");
    const std::filesystem::path to = &given(output, "output");
    const std::optional<std::filesystem::path> pairs =
        adapter == nullptr ? std::nullopt : std::optional<std::filesystem::path>(adapter);
    hand_over(out, [&] { return new ivl_merge{AdapterMerger(from, pairs, to, rounding_from(rounding), threads)}; });
  });
}

ivl_status ivl_merge_step(ivl_merge* merge, ivl_load_progress* out) {
  return guarded([&] {
    AdapterMerger& merger = given(merge, "merge").merger;
    merger.step();
    given(out, "out") = progress_of(merger);
  });
}

void ivl_merge_free(ivl_merge* merge) { delete merge; }

}  // extern "C"
