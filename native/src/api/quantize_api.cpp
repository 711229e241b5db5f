// Checkpoints into int8 and int4.
#include <optional>

#include "api/barrier.h"
#include "api/convert.h"
#include "api/device_choice.h"
#include "convert/calibrated_quantizer.h"

struct ivl_quantization {
  // One of the two.
  std::optional<ivl::CheckpointQuantizer> plain;
  std::optional<ivl::CalibratedQuantizer> calibrated;
};

using namespace ivl;
using namespace ivl::api;

namespace {

std::shared_ptr<Backend> calibrating_backend(int threads) {
  return std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads});
}

template <class Quantizer>
ivl_load_progress stepped(Quantizer& quantizer) {
  quantizer.step();
  return progress_of(quantizer);
}

}  // namespace

extern "C" {

ivl_status ivl_quantization_begin(const char* directory, const char* output, int32_t precision, int32_t quantize_vision,
                                  int32_t calibrates, int32_t threads, ivl_quantization** out) {
  return guarded([&] {
    const std::filesystem::path from = &given(directory, "directory");
    const std::filesystem::path to = &given(output, "output");
    const WeightFormats formats = formats_from(precision, quantize_vision);
    if (formats.decoder == WeightFormat::Plain) {
      fail(Status::InvalidArgument, cat("precision is ", precision, ", expected IVL_PRECISION_INT8 or IVL_PRECISION_INT4"));
    }
    if (calibrates != 0 && formats.decoder != WeightFormat::Int4) {
      fail(Status::InvalidArgument, cat(name_of(formats.decoder), " takes no calibration, expected int4"));
    }
    hand_over(out, [&] {
      auto made = std::make_unique<ivl_quantization>();
      if (calibrates != 0) {
        made->calibrated.emplace(from, to, formats, calibrating_backend(threads), threads);
      } else {
        made->plain.emplace(from, to, formats, threads);
      }
      return made.release();
    });
  });
}

ivl_status ivl_quantization_add_request(ivl_quantization* quantization, const int32_t* tokens, int64_t token_count,
                                        int32_t image_token, const float* pixels, int64_t images, int64_t* tokens_added,
                                        int64_t* inputs) {
  return guarded([&] {
    auto& calibrated = given(quantization, "quantization").calibrated;
    if (!calibrated) fail(Status::InvalidArgument, "this quantization does not calibrate, expected one that began so");
    if (token_count < 0 || images < 0) fail(Status::InvalidArgument, "token_count or images is negative, expected at least 0");
    CalibrationRequest request{.image_token = image_token, .pixels = pixels, .pictures = images};
    if (token_count > 0) request.tokens = {&given(tokens, "tokens"), static_cast<size_t>(token_count)};
    if (images > 0) given(pixels, "pixels");
    given(tokens_added, "tokens_added");
    given(inputs, "inputs");
    Calibration& calibration = calibrated->calibration();
    calibration.add(request);
    *tokens_added = calibration.tokens();
    *inputs = calibration.widest();
  });
}

ivl_status ivl_quantization_step(ivl_quantization* quantization, ivl_load_progress* out) {
  return guarded([&] {
    ivl_quantization& started = given(quantization, "quantization");
    given(out, "out") = started.calibrated ? stepped(*started.calibrated) : stepped(*started.plain);
  });
}

void ivl_quantization_free(ivl_quantization* quantization) { delete quantization; }

}  // extern "C"
