// Weights on their way to a GPU. They pass through pinned buffers that take turns: while the bus carries one, the host fills the
// next, which for a mapped checkpoint means reading it from the disk. Out of pageable memory the driver would do one after the
// other, through a small buffer of its own.
#pragma once

#include <array>
#include <functional>

#include "cuda/device.h"
#include "host/thread_pool.h"

namespace ivl::cuda {

class Staging {
 public:
  static constexpr size_t kPieceBytes = size_t{16} << 20;

  // Writes elements [first, first + count) of a dense source to `to`. Called by several threads at once.
  using Fill = std::function<void(void* to, size_t first, size_t count)>;

  // The device outlives it. Error(OutOfMemory) if the system pins no more memory.
  explicit Staging(const Device& device, size_t piece_bytes = kPieceBytes);

  // Queues the copy of a dense (rows, cols) source of elements of `size` bytes to rows `to_pitch` bytes apart. The source is not
  // used any more when it returns.
  void upload(void* to, size_t to_pitch, size_t rows, size_t cols, size_t size, const Fill& fill);
  // The same of bytes that lie ready.
  void upload(void* to, const void* from, size_t bytes);

  ThreadPool& pool() { return pool_; }

 private:
  // Waits for its last copy before it goes.
  class Piece {
   public:
    Piece() = default;
    ~Piece();
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    void allocate(const Device& device, size_t bytes);
    // Its memory, when the copy before is done.
    std::byte* wait() const;
    // What was queued last is that copy.
    void sent(const Device& device) const;

   private:
    void* memory_ = nullptr;
    cudaEvent_t sent_ = nullptr;
  };

  void fill_together(std::byte* to, size_t first, size_t count, size_t size, const Fill& fill);

  const Device& device_;
  const size_t piece_bytes_;
  ThreadPool pool_;
  std::array<Piece, 2> pieces_;
  size_t turn_ = 0;
};

}  // namespace ivl::cuda
