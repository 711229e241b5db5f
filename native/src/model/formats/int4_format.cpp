// int4 groups. In the place of a linear layer's NAME (out, in) there are, as backend/int4.h says,
//
//   NAME        U8           (out, int4_stride(in))   two values a byte
//   NAME_scale  BF16 or F16  (out, groups)            of kInt4Group inputs each
#include "backend/int4_weights.h"
#include "model/formats/stored_format.h"

namespace ivl {
namespace {

std::vector<int64_t> values_shape(const std::vector<int64_t>& weight) { return {weight[0], int4_stride(weight[1])}; }
std::vector<int64_t> scales_shape(const std::vector<int64_t>& weight) { return {weight[0], int4_groups(weight[1], kInt4Group)}; }

const char* name_of_scales(DType type) { return type == DType::F16 ? "F16" : "BF16"; }

class Int4Format final : public WritableFormat {
 public:
  WeightFormat format() const override { return WeightFormat::Int4; }

  bool holds(const Checkpoint& checkpoint, const Param& param) const override {
    const TensorInfo* info = checkpoint.find(param.name);
    return info != nullptr && info->dtype_name == "U8";
  }

  std::vector<StoredTensor> tensors(const Checkpoint& checkpoint, const Param& param) const override {
    const DType scales = type(checkpoint, param).value_or(DType::BF16);
    return {{param.name, "U8", values_shape(param.shape)},
            {scales_of(param.name), name_of_scales(scales), scales_shape(param.shape)}};
  }

  std::optional<DType> type(const Checkpoint& checkpoint, const Param& param) const override {
    const TensorInfo* scales = checkpoint.find(scales_of(param.name));
    const bool half = scales != nullptr && scales->dtype == DType::F16;
    return half ? DType::F16 : DType::BF16;
  }

  bool in_place(const Param&) const override { return true; }

  HostTensor read(const Checkpoint& checkpoint, const Param& param) const override {
    const TensorInfo& info = checkpoint.get(param.name);
    const Quantization quantization{WeightFormat::Int4, checkpoint.get(scales_of(param.name)).data, nullptr, nullptr, kInt4Group};
    return {info.data, *type(checkpoint, param), param.shape, quantization, place_of(info)};
  }

  std::vector<TensorToWrite> written(const TensorInfo& weight, DType type) const override {
    const auto bytes = [](const std::vector<int64_t>& shape, int64_t each) {
      return static_cast<uint64_t>(shape[0] * shape[1] * each);
    };
    const std::vector<int64_t> values = values_shape(weight.shape), scales = scales_shape(weight.shape);
    return {{weight.name, "U8", values, bytes(values, 1)},
            {scales_of(weight.name), name_of_scales(type), scales, bytes(scales, kInt4ScaleBytes)}};
  }

  void write(SafetensorsWriter& to, const HostTensor& weight, DType type, const RowCodec& codec, ThreadPool& pool) const override {
    const Int4Weights weights = int4_weights(weight, type, codec, pool);
    to.write(weights.rows.values, static_cast<uint64_t>(weights.count * weights.rows.stride()));
    to.write(weights.rows.scales, static_cast<uint64_t>(weights.count * weights.rows.groups() * kInt4ScaleBytes));
  }
};

}  // namespace

const WritableFormat& int4_format() {
  static const Int4Format format;
  return format;
}

}  // namespace ivl
