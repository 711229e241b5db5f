#include "rows.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;
using gpu::bf16;

// Every element another number, as bits.
std::vector<bf16> numbered(size_t count) {
  std::vector<bf16> values(count);
  for (size_t i = 0; i < count; i++) {
    values[i].bits = static_cast<uint16_t>(i);
  }
  return values;
}

TEST(GatherRows, CopiesFromAnywhere) {
  constexpr int kCols = 1032;
  const std::vector<bf16> table_values = numbered(5 * kCols), feature_values = numbered(kCols);
  const DeviceArray<bf16> table(table_values), features(feature_values);
  const std::vector<const bf16*> expected = {&table_values[4 * kCols], &feature_values[0], &table_values[0], &table_values[0]};
  const std::vector<const bf16*> from = {table.data() + 4 * kCols, features.data(), table.data(), table.data()};
  const DeviceArray<const bf16*> device_from(from);
  const DeviceArray<bf16> out(from.size() * (kCols + 8));
  ASSERT_EQ(gpu::gather_rows<bf16>({out.data(), kCols + 8}, device_from.data(), 4, kCols, nullptr), cudaSuccess);
  EXPECT_EQ(reported(), "");
  const auto result = out.read();
  for (size_t row = 0; row < from.size(); row++) {
    for (int c = 0; c < kCols; c++) {
      ASSERT_EQ(result[row * (kCols + 8) + static_cast<size_t>(c)].bits, expected[row][c].bits);
    }
  }
}

// The definition of the header, step by step: views and swaps of a (h, w, c) map.
std::vector<uint16_t> shuffled(const std::vector<bf16>& patches, int grid, int factor, int cols, bool swap_back) {
  const int side = grid / factor;
  std::vector<uint16_t> out(patches.size());
  for (int h = 0; h < grid; h++) {
    for (int w = 0; w < grid; w++) {
      for (int c = 0; c < cols; c++) {
        const int first_view_column = w / factor;  // of (h, w / f, f * cols)
        const int first_view_channel = w % factor * cols + c;
        const int second_view_column = h / factor;  // of (w / f, h / f, f * f * cols)
        const int second_view_channel = h % factor * factor * cols + first_view_channel;
        const int row = swap_back ? second_view_column * side + first_view_column : first_view_column * side + second_view_column;
        out[static_cast<size_t>(row * factor * factor * cols + second_view_channel)] =
            patches[static_cast<size_t>((h * grid + w) * cols + c)].bits;
      }
    }
  }
  return out;
}

TEST(PixelShuffle, IsItsDefinitionInBothVersions) {
  for (const auto& [grid, factor, cols] : {std::tuple{8, 2, 16}, {4, 4, 8}, {6, 2, 1040}, {2, 2, 8}}) {
    for (bool swap_back : {false, true}) {
      constexpr int kPictures = 2;
      const int picture = (1 + grid * grid) * cols;
      const auto values = numbered(static_cast<size_t>(kPictures * picture));
      const DeviceArray<bf16> in(values);
      const int width = factor * factor * cols;
      const DeviceArray<bf16> out(static_cast<size_t>(kPictures * grid * grid * cols));
      ASSERT_EQ(
          gpu::pixel_shuffle<bf16>({out.data(), width}, {in.data(), cols}, kPictures, {grid, factor, swap_back}, cols, nullptr),
          cudaSuccess);
      EXPECT_EQ(reported(), "");
      const auto result = out.read();
      for (int p = 0; p < kPictures; p++) {
        const std::vector<bf16> patches(values.begin() + p * picture + cols, values.begin() + (p + 1) * picture);
        const auto expected = shuffled(patches, grid, factor, cols, swap_back);
        for (size_t i = 0; i < expected.size(); i++) {
          ASSERT_EQ(result[static_cast<size_t>(p) * expected.size() + i].bits, expected[i]);
        }
      }
    }
  }
}

// Of pictures of two patches a line, of more than a block takes together, and of an odd size.
TEST(UnfoldPatches, TakesEachPatchLineByLine) {
  for (const auto& [side, patch, cols] : {std::tuple{28, 14, 592}, {126, 14, 592}, {57, 3, 32}}) {
    constexpr int kPictures = 2, kChannels = 3;
    const int grid = side / patch;
    const auto values = numbered(static_cast<size_t>(kPictures * kChannels * side * side));
    const DeviceArray<bf16> pixels(values);
    const DeviceArray<bf16> out(static_cast<size_t>(kPictures * grid * grid * cols));
    ASSERT_EQ(gpu::unfold_patches<bf16>({out.data(), cols}, {pixels.data(), kChannels * side * side}, kPictures, kChannels, side,
                                        patch, cols, nullptr),
              cudaSuccess);
    EXPECT_EQ(reported(), "");
    const auto result = out.read();
    for (int row = 0; row < kPictures * grid * grid; row++) {
      const int picture = row / (grid * grid);
      const int y = row / grid % grid * patch;
      const int x = row % grid * patch;
      for (int c = 0; c < cols; c++) {
        const int channel = c / (patch * patch);
        const int at = ((picture * kChannels + channel) * side + y + c / patch % patch) * side + x + c % patch;
        const uint16_t expected = channel < kChannels ? values[static_cast<size_t>(at)].bits : 0;
        ASSERT_EQ(result[static_cast<size_t>(row * cols + c)].bits, expected) << side << ": " << row << ", " << c;
      }
    }
  }
}

TEST(AddClassAndPositions, AddsEachTokensPosition) {
  constexpr int kPictures = 2, kTokens = 5, kColumns = 1032, kStride = 1040;
  const auto patches = random_values<bf16>(kPictures * (kTokens - 1) * kStride, 1);
  const auto embedding = random_values<bf16>(kColumns, 2);
  const auto positions = random_values<bf16>(kTokens * kColumns, 3);
  const DeviceArray<bf16> device_patches(patches), device_embedding(embedding), device_positions(positions);
  const DeviceArray<bf16> out(kPictures * kTokens * kColumns);
  ASSERT_EQ(gpu::add_class_and_positions<bf16>({out.data(), kColumns}, {device_patches.data(), kStride}, device_embedding.data(),
                                               {device_positions.data(), kColumns}, kPictures, kTokens, kColumns, nullptr),
            cudaSuccess);
  EXPECT_EQ(reported(), "");
  const auto result = out.read();
  for (size_t i = 0; i < result.size(); i++) {
    const size_t row = i / kColumns, c = i % kColumns, token = row % kTokens;
    const bf16 from = token == 0 ? embedding[c] : patches[(row / kTokens * (kTokens - 1) + token - 1) * kStride + c];
    const float sum = gpu::to_float(from) + gpu::to_float(positions[token * kColumns + c]);
    ASSERT_EQ(result[i].bits, gpu::from_float<bf16>(sum).bits) << row << ", " << c;
  }
}

}  // namespace
