// AWQ (Lin et al., arXiv:2306.00978) as AutoAWQ's "gemm" kernels and LMDeploy store it. In the place of NAME.weight (out, in) there are
//
//   NAME.qweight  I32  (in, out / 8)          q of eight outputs a word: that of output 8 c + kOrder[i] behind 4 i bits
//   NAME.qzeros   I32  (in / group, out / 8)  zero points, likewise
//   NAME.scales   F16 or BF16  (in / group, out)
//
// A weight is (q - zero) * scale in the scale's type, which is what backend/int4.h says: the results are those of the checkpoint
// with the weights in 16 bits. Here inputs run along the rows; they are turned once, while the checkpoint is loaded.
#include <algorithm>
#include <array>
#include <cstring>

#include "backend/int4.h"
#include "host/host_memory.h"
#include "model/formats/stored_format.h"

namespace ivl {
namespace {

constexpr int64_t kOutputs = 8;               // of a word
using Eight = std::array<uint8_t, kOutputs>;  // a word's q, by output
constexpr std::array<size_t, kOutputs> kOrder{0, 2, 4, 6, 1, 3, 5, 7};

// NAME of NAME.weight.
std::string layer_of(const Param& param) {
  constexpr std::string_view kEnd = ".weight";
  return param.name.ends_with(kEnd) ? param.name.substr(0, param.name.size() - kEnd.size()) : param.name;
}

const TensorInfo* find(const Checkpoint& checkpoint, const Param& param, const char* name) {
  return checkpoint.find(layer_of(param) + name);
}

// Words (rows, words) one after the other, wherever they lie.
class Words {
 public:
  Words(const TensorInfo& tensor, int64_t words) : data_(tensor.data), words_(words) {}
  Eight eight(int64_t row, int64_t word) const {
    uint32_t bits;
    std::memcpy(&bits, data_ + static_cast<size_t>(row * words_ + word) * sizeof bits, sizeof bits);
    Eight out;
    for (size_t i = 0; i < kOrder.size(); ++i) out[kOrder[i]] = static_cast<uint8_t>(bits >> (4 * i) & 15);
    return out;
  }

 private:
  const std::byte* data_;
  int64_t words_;
};

// Memory for weights as int4.h has them.
struct Turned {
  std::shared_ptr<Buffer> memory;
  uint8_t *values, *zeros;
  uint16_t* scales;

  Turned(int64_t outputs, int64_t stride, int64_t groups) {
    const auto values_bytes = static_cast<size_t>(outputs * stride), count = static_cast<size_t>(outputs * groups);
    memory = std::make_shared<Buffer>(allocate_host(values_bytes + count * (kInt4ScaleBytes + 1)));
    values = static_cast<uint8_t*>(memory->data());
    scales = reinterpret_cast<uint16_t*>(values + values_bytes);
    zeros = values + values_bytes + count * kInt4ScaleBytes;
    std::memset(values, 0, values_bytes);
  }

  void put(int64_t input, int64_t word, const Eight& eight, int64_t stride) const {
    const Int4Place place = int4_place(input);
    uint8_t* to = values + word * kOutputs * stride + place.byte;
    for (size_t i = 0; i < eight.size(); ++i, to += stride) *to |= static_cast<uint8_t>(eight[i] << place.shift);
  }
};

class AwqFormat final : public StoredFormat {
 public:
  WeightFormat format() const override { return WeightFormat::Int4; }

  bool holds(const Checkpoint& checkpoint, const Param& param) const override {
    return find(checkpoint, param, ".qweight") != nullptr && find(checkpoint, param, ".weight") == nullptr;
  }

  std::vector<StoredTensor> tensors(const Checkpoint& checkpoint, const Param& param) const override {
    const int64_t out = param.shape[0], in = param.shape[1], groups = in / group_of(checkpoint, param);
    const std::string layer = layer_of(param);
    const bool half = type(checkpoint, param) == DType::F16;
    return {{layer + ".qweight", "I32", {in, out / kOutputs}},
            {layer + ".qzeros", "I32", {groups, out / kOutputs}},
            {layer + ".scales", half ? "F16" : "BF16", {groups, out}}};
  }

  std::optional<DType> type(const Checkpoint& checkpoint, const Param& param) const override {
    const TensorInfo* scales = find(checkpoint, param, ".scales");
    return scales != nullptr && scales->dtype == DType::BF16 ? DType::BF16 : DType::F16;
  }

  WeightFormat tied_head() const override { return WeightFormat::Plain; }
  bool in_place(const Param&) const override { return false; }

  HostTensor read(const Checkpoint& checkpoint, const Param& param) const override {
    const int64_t outputs = param.shape[0], inputs = param.shape[1], group = group_of(checkpoint, param);
    const int64_t stride = int4_stride(inputs), groups = int4_groups(inputs, group), words = outputs / kOutputs;
    const Turned to(outputs, stride, groups);
    const TensorInfo& values = *find(checkpoint, param, ".qweight");
    const Words q(values, words), zeros(*find(checkpoint, param, ".qzeros"), words);
    const std::byte* scales = find(checkpoint, param, ".scales")->data;
    // A cache line of words of each of a chunk's inputs, which go to a line of each of their outputs.
    constexpr int64_t kWords = 16;
    for (int64_t chunk = 0; chunk < inputs; chunk += kInt4Chunk) {
      for (int64_t word = 0; word < words; word += kWords) {
        for (int64_t input = chunk; input < std::min(inputs, chunk + kInt4Chunk); ++input) {
          for (int64_t w = word; w < std::min(words, word + kWords); ++w) to.put(input, w, q.eight(input, w), stride);
        }
      }
    }
    for (int64_t g = 0; g < groups; ++g) {
      for (int64_t out = 0; out < outputs; ++out) {
        std::memcpy(to.scales + out * groups + g, scales + (g * outputs + out) * kInt4ScaleBytes, kInt4ScaleBytes);
      }
      for (int64_t word = 0; word < words; ++word) {
        const Eight eight = zeros.eight(g, word);
        for (int64_t i = 0; i < kOutputs; ++i) to.zeros[(word * kOutputs + i) * groups + g] = eight[static_cast<size_t>(i)];
      }
    }
    const Quantization quantization{WeightFormat::Int4, to.scales, nullptr, to.zeros, group};
    return {to.values, *type(checkpoint, param), param.shape, quantization, place_of(values), to.memory};
  }

 private:
  // Inputs of a group; such as the tensors cannot be right by where they say nothing.
  static int64_t group_of(const Checkpoint& checkpoint, const Param& param) {
    const TensorInfo* scales = find(checkpoint, param, ".scales");
    const int64_t inputs = param.shape[1];
    const int64_t groups = scales != nullptr && scales->shape.size() == 2 ? scales->shape[0] : 0;
    const bool even = groups > 0 && inputs % groups == 0 && inputs / groups % kInt4GroupStep == 0;
    return even ? inputs / groups : kInt4Chunk;
  }
};

}  // namespace

const StoredFormat& awq_format() {
  static const AwqFormat format;
  return format;
}

}  // namespace ivl
