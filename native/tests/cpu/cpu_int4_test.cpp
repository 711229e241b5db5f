// Weights in int4: products have the bits of those by the same weights in 16 bits, whoever made the groups; and what is lost when we
// make them.
#include <sys/mman.h>
#include <unistd.h>

#include "backend/int4_weights.h"
#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

class CpuInt4 : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuInt4, ::testing::ValuesIn(kernel_variants()), variant_name);

// Arbitrary groups, with zero points or without, as a checkpoint would hold them; and the weights that they stand for.
class Groups {
 public:
  Groups(int64_t rows, int64_t inputs, int64_t group, DType type, bool zeros, uint32_t seed = 1) {
    std::mt19937 random(seed);
    const auto bytes = [&](int64_t count, unsigned most) {
      std::vector<uint8_t> all(static_cast<size_t>(count));
      for (uint8_t& byte : all) byte = static_cast<uint8_t>(random() % (most + 1));
      return all;
    };
    const int64_t groups = int4_groups(inputs, group);
    values_ = bytes(rows * int4_stride(inputs), 255);
    zeros_ = bytes(rows * groups, 15);
    scales_.resize(static_cast<size_t>(rows * groups));
    std::uniform_real_distribution<float> scale(-0.01f, 0.01f);
    for (size_t i = 0; i < scales_.size(); ++i) store_f32(scales_.data(), type, i, scale(random));
    tensor_ = {values_.data(), type, {rows, inputs}};
    tensor_.quantization = {WeightFormat::Int4, scales_.data(), nullptr, zeros ? zeros_.data() : nullptr, group};
    wide_.resize(static_cast<size_t>(rows * inputs));
    for (int64_t i = 0; i < rows * inputs; ++i) {
      store_f32(wide_.data(), type, static_cast<size_t>(i), int4_weight(tensor_.int4_rows(), i / inputs, i % inputs));
    }
  }

  HostTensor tensor() const { return tensor_; }
  HostTensor wide() const { return {wide_.data(), tensor_.dtype, tensor_.shape}; }

 private:
  std::vector<uint8_t> values_, zeros_;
  std::vector<uint16_t> scales_, wide_;
  HostTensor tensor_;
};

LinearSource in_int4(const HostTensor& weight) { return {{weight}, {}, WeightFormat::Int4}; }

struct Shape {
  int64_t rows, outputs, inputs;
};

TEST_P(CpuInt4, ProductsHaveTheBitsOfTheSameWeightsIn16Bits) {
  CpuBackend exact = backend(), rounds = rounding();
  const Shape shapes[] = {{1, 1, 1},   {1, 130, 1100}, {2, 9, 16},     {3, 3, 130},   {4, 49, 513},
                          {9, 97, 64}, {67, 50, 640},  {130, 7, 3200}, {30, 66, 1024}};
  for (const auto& [stored, as] : {std::pair{DType::BF16, DType::BF16},
                                   {DType::F16, DType::F16},
                                   {DType::F16, DType::BF16},
                                   {DType::BF16, DType::F16},
                                   {DType::F16, DType::F32}}) {
    for (const Shape& s : shapes) {
      for (const auto& [group, zeros] : {std::pair{64, false}, {128, true}, {32, true}, {16, false}}) {
        SCOPED_TRACE(cat(s.rows, "x", s.outputs, "x", s.inputs, ", ", name_of(stored), " as ", name_of(as), ", groups of ", group));
        const Groups groups(s.outputs, s.inputs, group, stored, zeros);
        Operand in(s.rows, s.inputs, 3, 4), expected(s.rows, s.outputs), actual(s.rows, s.outputs);
        for (CpuBackend* cpu : {&exact, &rounds}) {
          cpu->matmul(expected.matrix(), {in.matrix(), *cpu->linear({{groups.wide()}, {}}, as)}, {});
          cpu->matmul(actual.matrix(), {in.matrix(), *cpu->linear(in_int4(groups.tensor()), as)}, {});
          EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix())) << (cpu == &rounds ? "rounded activations" : "");
        }
      }
    }
  }
}

TEST_P(CpuInt4, RowsOfAWeightAreTakenWithWhatBelongsToThem) {
  CpuBackend cpu = backend();
  const Groups groups(20, 200, 128, DType::F16, true);
  Operand in(2, 200), expected(2, 20), actual(2, 20);
  cpu.matmul(expected.matrix(), {in.matrix(), *cpu.linear(in_int4(groups.tensor()), DType::F16)}, {});
  const HostTensor all = groups.tensor();
  const LinearSource parts{{all.row_range(0, 7), all.row_range(7, 1), all.row_range(8, 12)}, {}, WeightFormat::Int4};
  cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(parts, DType::F16)}, {});
  EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix()));
}

TEST(Int4Weights, WrittenOutAreTheWeightsOneByOne) {
  ThreadPool pool(2);
  for (const auto& [stored, as] : {std::pair{DType::BF16, DType::BF16}, {DType::F16, DType::F16}, {DType::F16, DType::BF16}}) {
    for (const bool zeros : {false, true}) {
      const Groups groups(5, 200, 32, stored, zeros);
      Int4Weights weights;
      weights.rows = groups.tensor().int4_rows();
      weights.count = 5;
      const Buffer out = int4_written_out(weights, as, pool);
      for (int64_t i = 0; i < 5 * 200; ++i) {
        float expected[2] = {};
        store_f32(expected, as, 0, int4_weight(weights.rows, i / 200, i % 200));
        EXPECT_EQ(load_f32(out.data(), as, static_cast<size_t>(i)), load_f32(expected, as, 0)) << i;
      }
    }
  }
}

// Each weight becomes the nearest that its group's scale has.
TEST_P(CpuInt4, AWeightBecomesTheNearestOfItsGroup) {
  ThreadPool pool(2);
  for (const DType type : {DType::BF16, DType::F16}) {
    const HostValues weight({9, 200}, DType::F32, 3, 0.05f);
    const Int4Weights made = int4_weights(weight.tensor(), type, codec_of(*GetParam()), pool);
    ASSERT_EQ(made.rows.type, type);
    const auto* original = static_cast<const float*>(weight.tensor().data);
    for (int64_t row = 0; row < 9; ++row) {
      for (int64_t i = 0; i < 200; ++i) {
        float rounded[2] = {};
        store_f32(rounded, type, 0, original[row * 200 + i]);
        const float x = load_f32(rounded, type, 0), got = int4_weight(made.rows, row, i);
        const size_t group = static_cast<size_t>(row * made.rows.groups() + i / kInt4Group);
        const float scale = load_f32(made.rows.scales, type, group);
        for (const int8_t level : kInt4Levels) {
          const float other = static_cast<float>(level) * scale;
          EXPECT_LE(std::fabs(x - got), std::fabs(x - other) + 0.01f * std::fabs(x)) << row << ", " << i << ", level " << level;
        }
      }
    }
  }
}

// Four bits of uniform numbers lose 5.5 % and more in the root mean square, by evenly spaced levels; of normal ones 8.4 %.
TEST_P(CpuInt4, WhatIsLostIsWithinTheFormatsBound) {
  ThreadPool pool(2);
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> values(64 * 1024);
  for (float& x : values) x = normal(random);
  const HostTensor weight{values.data(), DType::F32, {64, 1024}};
  const Int4Weights made = int4_weights(weight, DType::BF16, codec_of(*GetParam()), pool);
  double lost = 0, all = 0;
  for (int64_t i = 0; i < 64 * 1024; ++i) {
    const double x = values[static_cast<size_t>(i)], y = int4_weight(made.rows, i / 1024, i % 1024);
    lost += (x - y) * (x - y);
    all += x * x;
  }
  EXPECT_LE(std::sqrt(lost / all), 0.086);
  RecordProperty("lost", std::to_string(std::sqrt(lost / all)));
}

TEST_P(CpuInt4, ZerosStayZerosAndTheLargestKeepsItsSign) {
  ThreadPool pool(1);
  std::vector<float> values(192, 0.0f);
  values[64 + 5] = -3;
  values[128 + 60] = 3;
  const HostTensor weight{values.data(), DType::F32, {1, 192}};
  const Int4Weights made = int4_weights(weight, DType::BF16, codec_of(*GetParam()), pool);
  for (int64_t i = 0; i < 192; ++i) {
    const float x = values[static_cast<size_t>(i)];
    EXPECT_NEAR(int4_weight(made.rows, 0, i), x, std::fabs(x) * 0.01f) << i;
  }
}

TEST_P(CpuInt4, WeightsThatAreNoNumbersAreRefused) {
  ThreadPool pool(1);
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    for (const int64_t at : {0, 63, 64, 99}) {
      std::vector<float> values(200, 0.5f);
      values[static_cast<size_t>(100 + at)] = bad;
      HostTensor weight{values.data(), DType::F32, {2, 100}};
      weight.where = "a.safetensors: tensor 'w'";
      try {
        int4_weights(weight, DType::BF16, codec_of(*GetParam()), pool);
        FAIL() << bad << " at " << at;
      } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::Checkpoint);
        EXPECT_NE(std::string(error.what()).find("tensor 'w': row 1"), std::string::npos) << error.what();
      }
    }
  }
}

TEST_P(CpuInt4, AStoredScaleThatIsNoNumberIsRefused) {
  CpuBackend cpu = backend();
  const Groups groups(3, 128, 64, DType::BF16, false);
  std::vector<uint16_t> scales(6, 0x3f80);
  scales[3] = 0x7f80;
  HostTensor tensor = groups.tensor();
  tensor.quantization.scales = scales.data();
  EXPECT_THROW(cpu.linear(in_int4(tensor), DType::BF16), Error);
}

TEST_P(CpuInt4, NothingBehindWeightsIsRead) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* pages = static_cast<char*>(mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + 7 * page, page, PROT_NONE), 0);  // as the end of a mapped file may be
  char* end = pages + 7 * page;
  CpuBackend exact = backend(), rounds = rounding();
  for (const int64_t inputs : {1, 60, 100, 130}) {
    constexpr int64_t kOutputs = 7;
    std::vector<uint16_t> scales(static_cast<size_t>(kOutputs * int4_groups(inputs, kInt4Group)), 0x3f80);
    HostTensor weight{end - kOutputs * int4_stride(inputs), DType::BF16, {kOutputs, inputs}};
    weight.quantization = {WeightFormat::Int4, end - 4096 - scales.size() * sizeof scales[0], nullptr, nullptr, kInt4Group};
    for (const int64_t rows : {1, 5, 20}) {
      Operand in(rows, inputs), out(rows, kOutputs);
      for (CpuBackend* cpu : {&exact, &rounds}) {
        cpu->matmul(out.matrix(), {in.matrix(), *cpu->linear(in_int4(weight), DType::BF16)}, {});
        EXPECT_EQ(out.at(0, 0), 0.0f);  // by scales of zero
      }
    }
    std::memcpy(end - scales.size() * sizeof scales[0], scales.data(), scales.size() * sizeof scales[0]);
    const std::vector<uint8_t> values(static_cast<size_t>(kOutputs * int4_stride(inputs)), 0x77);  // levels of zero
    weight = {values.data(), DType::BF16, {kOutputs, inputs}};
    weight.quantization = {WeightFormat::Int4, end - scales.size() * sizeof scales[0], nullptr, nullptr, kInt4Group};
    Operand in(1, inputs), out(1, kOutputs);
    exact.matmul(out.matrix(), {in.matrix(), *exact.linear(in_int4(weight), DType::BF16)}, {});
    EXPECT_EQ(out.at(0, 0), 0.0f);
    std::memset(end - page, 0, page);
  }
  munmap(pages, 8 * page);
}

TEST(Int4Variants, QuantizeToTheSameBits) {
  const std::vector<const KernelTable*> fused = fused_variants();
  if (fused.size() < 2) GTEST_SKIP() << "this processor runs one variant with fused multiply-add";
  const HostValues weight({40, 300}, DType::BF16, 7, 0.1f);
  ThreadPool pool(2);
  std::vector<float> importance(300);  // a few inputs count much
  for (size_t i = 0; i < importance.size(); ++i) importance[i] = i % 70 == 3 ? 900.0f : 0.1f + 0.01f * static_cast<float>(i);
  const auto bits = [&](const KernelTable* table, const float* counts) {
    const Int4Weights made = int4_weights(weight.tensor(), DType::BF16, codec_of(*table), pool, counts);
    const auto* begin = static_cast<const char*>(made.owned.data());
    return std::string(begin, begin + 40 * (made.rows.stride() + made.rows.groups() * kInt4ScaleBytes));
  };
  for (const float* counts : {static_cast<const float*>(nullptr), static_cast<const float*>(importance.data())}) {
    const std::string first = bits(fused.front(), counts);
    for (const KernelTable* table : fused) EXPECT_EQ(bits(table, counts), first) << table->name;
  }
}

}  // namespace
}  // namespace ivl::cpu
