// Checkpoints into int8 and int4.
#include <algorithm>

#include "api/barrier.h"
#include "api/convert.h"
#include "convert/checkpoint_quantizer.h"

struct ivl_quantization {
  ivl::CheckpointQuantizer quantizer;
};

using namespace ivl;
using namespace ivl::api;

extern "C" {

ivl_status ivl_quantization_begin(const char* directory, const char* output, int32_t precision, int32_t quantize_vision,
                                  int32_t threads, ivl_quantization** out) {
  return guarded([&] {
    const std::filesystem::path from = &given(directory, "directory");
    const std::filesystem::path to = &given(output, "output");
    const WeightFormats formats = formats_from(precision, quantize_vision);
    if (formats.decoder == WeightFormat::Plain) {
      fail(Status::InvalidArgument, cat("precision is ", precision, ", expected IVL_PRECISION_INT8 or IVL_PRECISION_INT4"));
    }
    hand_over(out, [&] { return new ivl_quantization{CheckpointQuantizer(from, to, formats, threads)}; });
  });
}

ivl_status ivl_quantization_step(ivl_quantization* quantization, ivl_load_progress* out) {
  return guarded([&] {
    CheckpointQuantizer& quantizer = given(quantization, "quantization").quantizer;
    quantizer.step();
    given(out, "out") = progress_of(quantizer);
  });
}

void ivl_quantization_free(ivl_quantization* quantization) { delete quantization; }

}  // extern "C"
