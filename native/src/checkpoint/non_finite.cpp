#include "checkpoint/non_finite.h"

#include <algorithm>
#include <cstring>

#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace {

// Counts elements whose exponent bits are all ones. Blocks keep the counting loop free of branches, so that it runs at
// memory speed; memcpy because the caller may hold an unaligned tensor.
template <class Bits>
NonFinite scan(const std::byte* data, size_t elements, Bits exponent) {
  constexpr size_t kBlock = 4096;
  NonFinite result;
  const auto is_bad = [&](size_t i) {
    Bits bits;
    std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
    return (bits & exponent) == exponent;
  };
  for (size_t begin = 0; begin < elements; begin += kBlock) {
    const size_t end = std::min(elements, begin + kBlock);
    unsigned count = 0;
    for (size_t i = begin; i < end; ++i) count += is_bad(i);
    if (count != 0 && !result.first) {
      size_t i = begin;
      while (!is_bad(i)) ++i;
      result.first = i;
    }
    result.count += count;
  }
  return result;
}

}  // namespace

NonFinite scan_non_finite(const TensorInfo& tensor) {
  if (!tensor.dtype) {
    fail(Status::Unsupported, cat(place_of(tensor), ": cannot look for NaN in type ", printable(tensor.dtype_name, 40)));
  }
  const size_t elements = tensor.bytes / size_of(*tensor.dtype);
  switch (*tensor.dtype) {
    case DType::F32: return scan<uint32_t>(tensor.data, elements, 0x7f800000u);
    case DType::BF16: return scan<uint16_t>(tensor.data, elements, 0x7f80u);
    case DType::F16: return scan<uint16_t>(tensor.data, elements, 0x7c00u);
  }
  fail(Status::Internal, "scan_non_finite: unknown type");
}

}  // namespace ivl
