#include "model/quantization_config.h"

#include "model/config_limits.h"

namespace ivl {
namespace {

constexpr const char* kField = "quantization_config";
constexpr const char* kInstead = "; the 16-bit checkpoint runs with precision int4 or int8";

}  // namespace

void require_readable_quantization(const ConfigSection& section) {
  if (!section.is_set(kField)) return;
  const ConfigSection quantization = section.section(kField);
  if (quantization.text("quant_method", "") != "awq") {
    const char* method = quantization.has("quant_method") ? "quant_method" : nullptr;
    const std::string supported = cat("awq", kInstead);
    method == nullptr ? section.unsupported(kField, supported) : quantization.unsupported(method, supported);
  }
  // In the order in which AutoAWQ writes them.
  if (quantization.integer("bits", 1, 64, 4) != 4) quantization.unsupported("bits", cat("4", kInstead));
  if (quantization.text("version", "gemm") != "gemm") quantization.unsupported("version", cat("gemm", kInstead));
}

}  // namespace ivl
