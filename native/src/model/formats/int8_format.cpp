// int8 rows. In the place of a linear layer's NAME (out, in) there are
//
//   NAME        I8  (out, in)   value = scale * int8, as backend/int8.h says
//   NAME_scale  F32 (out)
//   NAME_sum    I32 (out)       of each row's int8 values, which the CPU's products need
#include "backend/int8_weights.h"
#include "model/formats/stored_format.h"

namespace ivl {
namespace {

std::string sum_name(const std::string& name) { return name + "_sum"; }

class Int8Format final : public WritableFormat {
 public:
  WeightFormat format() const override { return WeightFormat::Int8; }

  bool holds(const Checkpoint& checkpoint, const Param& param) const override {
    const TensorInfo* info = checkpoint.find(param.name);
    return info != nullptr && info->dtype_name == "I8";
  }

  std::vector<StoredTensor> tensors(const Checkpoint&, const Param& param) const override {
    return {{param.name, "I8", param.shape},
            {scales_of(param.name), "F32", {param.shape[0]}},
            {sum_name(param.name), "I32", {param.shape[0]}}};
  }

  std::optional<DType> type(const Checkpoint&, const Param&) const override { return std::nullopt; }
  bool in_place(const Param& param) const override { return int8_stride(param.shape[1]) == param.shape[1]; }

  HostTensor read(const Checkpoint& checkpoint, const Param& param) const override {
    const TensorInfo& info = checkpoint.get(param.name);
    const auto* sums = reinterpret_cast<const int32_t*>(checkpoint.get(sum_name(param.name)).data);
    const Quantization quantization{WeightFormat::Int8, checkpoint.get(scales_of(param.name)).data, sums};
    return {info.data, DType::BF16, info.shape, quantization, place_of(info)};
  }

  std::vector<TensorToWrite> written(const TensorInfo& weight, DType) const override {
    const auto rows = static_cast<uint64_t>(weight.shape[0]);
    return {{weight.name, "I8", weight.shape, static_cast<uint64_t>(weight.elements())},
            {scales_of(weight.name), "F32", {weight.shape[0]}, rows * sizeof(float)},
            {sum_name(weight.name), "I32", {weight.shape[0]}, rows * sizeof(int32_t)}};
  }

  void write(SafetensorsWriter& to, const HostTensor& weight, DType type, const RowCodec& codec, ThreadPool& pool) const override {
    const Int8Weights weights = int8_weights(weight, type, codec, pool);
    const auto inputs = static_cast<uint64_t>(weight.shape[1]);
    for (int64_t row = 0; row < weights.rows; ++row) to.write(weights.values + row * weights.stride, inputs);
    to.write(weights.scales, static_cast<uint64_t>(weights.rows) * sizeof(float));
    to.write(weights.sums, static_cast<uint64_t>(weights.rows) * sizeof(int32_t));
  }
};

}  // namespace

const WritableFormat& int8_format() {
  static const Int8Format format;
  return format;
}

}  // namespace ivl
