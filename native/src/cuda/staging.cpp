#include "cuda/staging.h"

#include <algorithm>
#include <cstring>

#include "host/processor.h"

namespace ivl::cuda {
namespace {

// What a thread fills at a time: much more than it costs to hand out, and enough of them in a piece for all.
constexpr size_t kTaskBytes = size_t{256} << 10;

}  // namespace

Staging::Piece::~Piece() {
  // An error here would be an earlier operation's.
  if (sent_ != nullptr && (cudaEventSynchronize(sent_) != cudaSuccess || cudaEventDestroy(sent_) != cudaSuccess)) {
    cudaGetLastError();
  }
  if (memory_ != nullptr && cudaFreeHost(memory_) != cudaSuccess) cudaGetLastError();
}

void Staging::Piece::allocate(const Device& device, size_t bytes) {
  device.use();
  check(cudaEventCreateWithFlags(&sent_, cudaEventDisableTiming), "cudaEventCreate");
  check(cudaMallocHost(&memory_, bytes), "pinning host memory");
}

std::byte* Staging::Piece::wait() const {
  check(cudaEventSynchronize(sent_), "copy to the GPU");
  return static_cast<std::byte*>(memory_);
}

void Staging::Piece::sent(const Device& device) const { check(cudaEventRecord(sent_, device.stream()), "cudaEventRecord"); }

Staging::Staging(const Device& device, size_t piece_bytes) : device_(device), piece_bytes_(piece_bytes), pool_(default_threads()) {
  for (Piece& piece : pieces_) piece.allocate(device, piece_bytes);
}

void Staging::fill_together(std::byte* to, size_t first, size_t count, size_t size, const Fill& fill) {
  const size_t each = std::max<size_t>(1, kTaskBytes / size);
  pool_.run(static_cast<int64_t>((count + each - 1) / each), [&](int64_t task, int) {
    const size_t begin = static_cast<size_t>(task) * each;
    fill(to + begin * size, first + begin, std::min(each, count - begin));
  });
}

void Staging::upload(void* to, size_t to_pitch, size_t rows, size_t cols, size_t size, const Fill& fill) {
  // A piece is some rows, or a part of one that is longer.
  const size_t some_cols = std::min(cols, piece_bytes_ / size);
  const size_t some_rows = std::max<size_t>(1, piece_bytes_ / (cols * size));
  for (size_t row = 0; row < rows; row += some_rows) {
    for (size_t col = 0; col < cols; col += some_cols) {
      const size_t height = std::min(some_rows, rows - row);
      const size_t width = std::min(some_cols, cols - col);
      const Piece& piece = pieces_[turn_++ % pieces_.size()];
      std::byte* memory = piece.wait();
      fill_together(memory, row * cols + col, height * width, size, fill);
      std::byte* target = static_cast<std::byte*>(to) + row * to_pitch + col * size;
      device_.upload_rows(target, to_pitch, memory, width * size, width * size, height);
      piece.sent(device_);
    }
  }
}

void Staging::upload(void* to, const void* from, size_t bytes) {
  upload(to, bytes, 1, bytes, 1, [from](void* piece, size_t first, size_t count) {
    std::memcpy(piece, static_cast<const std::byte*>(from) + first, count);
  });
}

}  // namespace ivl::cuda
