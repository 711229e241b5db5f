#include "backend/weight_format.h"

#include "backend/int4.h"
#include "backend/int8.h"

namespace ivl {

std::string_view name_of(WeightFormat format) {
  switch (format) {
    case WeightFormat::Plain: return "plain";
    case WeightFormat::Int8: return "int8";
    case WeightFormat::Int4: return "int4";
  }
  return "";
}

int64_t weight_bytes(WeightFormat format, DType plain, int64_t rows, int64_t inputs) {
  switch (format) {
    case WeightFormat::Plain: return rows * inputs * static_cast<int64_t>(size_of(plain));
    case WeightFormat::Int8: return rows * (int8_stride(inputs) + kInt8RowExtra);
    case WeightFormat::Int4: return rows * (int4_stride(inputs) + int4_groups(inputs, kInt4Group) * kInt4ScaleBytes);
  }
  return 0;
}

}  // namespace ivl
