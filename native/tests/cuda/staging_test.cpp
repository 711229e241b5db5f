// Weights arrive whole, whatever the pieces they come in.
#include "cuda/staging.h"

#include <cstring>
#include <numeric>

#include "cuda/gpu_test.h"

namespace ivl::cuda {
namespace {

class StagingTest : public testing::GpuTest {
 protected:
  // Element i of the source is i. Rows of `cols` go to rows of `padded`, in pieces of `piece_bytes`.
  static std::vector<uint16_t> there_and_back(size_t rows, size_t cols, size_t padded, size_t piece_bytes) {
    const Device device(0);
    const Buffer memory = device.allocate(rows * padded * 2);
    Staging staging(device, piece_bytes);
    std::vector<uint16_t> source(rows * cols);
    std::iota(source.begin(), source.end(), uint16_t{1});
    staging.upload(memory.data(), padded * 2, rows, cols, 2,
                   [&](void* to, size_t first, size_t count) { std::memcpy(to, source.data() + first, count * 2); });
    source.assign(source.size(), 0);  // as a caller may
    std::vector<uint16_t> back(rows * padded);
    device.download_rows(back.data(), padded * 2, memory.data(), padded * 2, padded * 2, rows);
    return back;
  }
};

TEST_F(StagingTest, RowsAndTheirPaddingArriveInPiecesOfAnySize) {
  for (const size_t piece_bytes : {2, 6, 16, 50, 1000}) {
    const std::vector<uint16_t> got = there_and_back(7, 5, 8, piece_bytes);
    for (size_t i = 0; i < got.size(); ++i) {
      const size_t col = i % 8;
      EXPECT_EQ(got[i], col < 5 ? i / 8 * 5 + col + 1 : 0) << "element " << i << ", pieces of " << piece_bytes;
    }
  }
}

TEST_F(StagingTest, MoreThanAThreadFillsAtATimeArrives) {
  constexpr size_t kElements = 300000;
  const std::vector<uint16_t> got = there_and_back(1, kElements, kElements, Staging::kPieceBytes);
  for (size_t i = 0; i < kElements; i += 4999) EXPECT_EQ(got[i], static_cast<uint16_t>(i + 1));
}

TEST_F(StagingTest, AFillThatFailsLeavesTheDeviceUsable) {
  const Device device(0);
  const Buffer memory = device.allocate(64);
  Staging staging(device, 16);
  const auto fails = [](void*, size_t first, size_t) {
    if (first > 0) fail(Status::Checkpoint, "the file ends here");
  };
  EXPECT_THROW(staging.upload(memory.data(), 64, 1, 64, 1, fails), Error);
  const std::vector<std::byte> ones(64, std::byte{1});
  staging.upload(memory.data(), ones.data(), ones.size());
  std::vector<std::byte> back(64);
  device.download_rows(back.data(), 64, memory.data(), 64, 64, 1);
  EXPECT_EQ(back, ones);
}

}  // namespace
}  // namespace ivl::cuda
