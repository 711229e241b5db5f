// Rows moved as they are: embeddings with pictures spliced in, the last tokens' rows, patches folded by pixel shuffle.
#pragma once

#include "device/types.h"

namespace gpu {

// out row i = the `cols` elements at from[i] (device pointers in device memory): a token's row of the embedding table,
// or a picture's feature. cols is a multiple of 8, strides too, pointers of 16 bytes.
template <class T>
cudaError_t gather_rows(Rows<T> out, const T* const* from, int64_t rows, int cols, cudaStream_t stream);

// Whether a block's shared memory holds the lines that unfold_patches() works on.
bool can_unfold(int channels, int patch);

// The patches of square pictures (pictures, channels * side * side) as rows (pictures * (side / patch)^2, cols): channel by
// channel, line by line; zeros from channels * patch^2 up to cols. The patch convolution is then a product.
template <class T>
cudaError_t unfold_patches(Rows<T> out, Rows<const T> pixels, int64_t pictures, int channels, int side, int patch, int cols,
                           cudaStream_t stream);

// out (pictures * tokens, cols): per picture the class embedding and then its tokens - 1 patches, positions (tokens, cols)
// added. cols and strides are multiples of 8, pointers of 16 bytes.
template <class T>
cudaError_t add_class_and_positions(Rows<T> out, Rows<const T> patches, const T* class_embedding, Rows<const T> positions,
                                    int64_t pictures, int tokens, int cols, cudaStream_t stream);

// InternVL's pixel_shuffle with factor 1/f: each picture's class token is dropped and f x f patches become one row.
// in (pictures * (1 + g * g), cols) -> out (pictures * (g / f)^2, f * f * cols). With (h, w) the patch grid,
// view (h, w / f, f * cols), swap to (w / f, h, f * cols), view (w / f, h / f, f * f * cols): v1 ends here, with the map
// transposed; v2 (`swap_back`) swaps to (h / f, w / f, f * f * cols).
struct PixelShuffle {
  int grid = 0;
  int factor = 0;
  bool swap_back = false;
};
template <class T>
cudaError_t pixel_shuffle(Rows<T> out, Rows<const T> in, int64_t pictures, const PixelShuffle& shuffle, int cols,
                          cudaStream_t stream);

}  // namespace gpu
