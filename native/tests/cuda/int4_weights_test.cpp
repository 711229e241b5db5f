// A GPU gives int4 weights the bits that they have in 16 bits.
#include "backend/int4_weights.h"
#include "cpu/operands.h"
#include "cuda/gpu_test.h"
#include "host/thread_pool.h"

namespace ivl {
namespace {

using testing::HostValues;

class Int4WeightsTest : public testing::GpuTest {};

std::vector<float> product(Backend& backend, const LinearSource& source, DType type, int64_t rows) {
  const auto weights = backend.linear(source, type);
  backend.finish_weights();
  std::vector<float> values(static_cast<size_t>(rows * weights->in_features));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * i % 97) / 48 - 1;
  const Buffer in_memory = backend.allocate(values.size() * 2);
  const Buffer out_memory = backend.allocate(static_cast<size_t>(rows * weights->out_features) * sizeof(float));
  const Matrix in = in_memory.matrix(type, rows, weights->in_features);
  const Matrix out = out_memory.matrix(DType::F32, rows, weights->out_features);
  backend.from_host(in, values.data());
  backend.matmul(out, {in, *weights}, {});
  values.resize(static_cast<size_t>(rows * weights->out_features));
  backend.to_host(values.data(), out);
  return values;
}

TEST_F(Int4WeightsTest, HaveTheBitsOfTheSameWeightsIn16Bits) {
  ThreadPool pool(1);
  for (const DType type : {DType::BF16, DType::F16}) {
    const auto cuda = make_gpu_backend(0, type);
    const HostValues one({24, 200}, DType::F32, 1), other({8, 200}, DType::F32, 2);
    std::vector<Buffer> memory;
    const auto wide = [&](const HostTensor& weight) {
      memory.push_back(int4_written_out(int4_weights(weight, type, row_codec(), pool), type, pool));
      return HostTensor{memory.back().data(), type, weight.shape};
    };
    const LinearSource four{{one.tensor(), other.tensor()}, {}, WeightFormat::Int4};
    const LinearSource plain{{wide(one.tensor()), wide(other.tensor())}, {}};
    for (const int64_t rows : {1, 40}) {
      EXPECT_EQ(product(*cuda, four, type, rows), product(*cuda, plain, type, rows)) << name_of(type) << ", " << rows;
    }
  }
}

}  // namespace
}  // namespace ivl
