// What one instruction set offers: plain function pointers over raw pointers. The functions are compiled once per
// instruction set (kernels_plain.cpp, kernels_avx2.cpp, kernels_avx512.cpp) from the same templates, and everything
// but kernel_table_*() has internal linkage there: an inline function or a std:: template in such a file could be the
// copy that the linker keeps for the whole program, and would then stop a machine without those instructions.
//
// All matrices of activations are f32. Strides are in elements. Weights may lie at any address (a mapped file gives no
// alignment), and nothing is ever read outside [row, row + length) of a row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/int4.h"
#include "backend/int8.h"
#include "backend/kv_type.h"
#include "tensor/dtype.h"

namespace ivl::cpu {

// ---- constants of the results: changing one changes the last bits of every result ---------------------------------
// A dot product is cut into blocks of kKBlock. Within a block, lane l of 16 accumulates k = l, l + 16, ... by fused
// multiply-add; the lanes are then summed as lane i += lane i + 8, + 4, + 2, + 1, and the blocks are summed in order.
// A score of attention, short as it is, is one chain of multiply-adds along head_dim.
inline constexpr int64_t kKBlock = 1024;
// Of bf16 activations with bf16 weights it is cut into blocks of kPairBlock, and lane l takes the elements 2 l and 2 l + 1, of every
// 32: the odd one first. Attention in pairs has chains of such pairs: along head_dim, and along the keys.
inline constexpr int64_t kPairBlock = 3072;
inline constexpr int64_t kPairStep = 32;
// Keys are taken in tiles that begin at multiples of kKeyTile positions; a tile is one step of the online softmax.
inline constexpr int64_t kKeyTile = 64;
// int8 activations of at least this magnitude are kept apart in f32, up to so many of a row; see backend/int8.h.
using ivl::kInt8Outlier;
using ivl::kMostOutliers;

// ---- limits of the callers' scratch -------------------------------------------------------------------------------
inline constexpr int64_t kFewRows = 16;           // products of at most so many rows stream the weights past
inline constexpr int64_t kMostStreamedRows = 64;  // they can up to so many
inline constexpr int64_t kFewRowsCols = 192;      // most columns of such a product at a time
// Rows and columns of other products are multiples: whole tiles in every variant.
inline constexpr int64_t kTaskRows = 12;
inline constexpr int64_t kTaskCols = 64;
inline constexpr int64_t kMostTaskRows = 528;
inline constexpr int64_t kMostTaskCols = 128;
inline constexpr int64_t kSumFloats = kMostTaskRows * kMostTaskCols;  // one product's sums
inline constexpr int64_t kPackedUnits = kPairBlock / 2;               // of 4 bytes, the most that are packed of a column
inline constexpr int64_t kPackedFloats = kPackedUnits * kTaskCols;
inline constexpr int64_t kQueryBlock = 96;  // (position, head) pairs of one attention task
inline constexpr int64_t kMaxHeadDim = 256;
// What the larger of the two kinds of attention takes.
inline constexpr int64_t kAttentionScratchFloats = kQueryBlock * (kMaxHeadDim * 3 / 2 + 2) + kKeyTile * (kMaxHeadDim + 12);

// The columns of a product of few rows: kColumnRuns runs of `each` neighbouring ones, whose beginnings are `apart` columns apart, without
// those from the product's `cols` on. The sums of column run * apart + i lie at run * each + i.
inline constexpr int64_t kColumnRuns = 4;
struct ColumnRuns {
  int64_t each, apart;
};

// What the same thread is about to multiply behind these weights, so that it comes near meanwhile: rows that lie like theirs, or none.
struct WeightsAhead {
  const void* first = nullptr;
  int64_t cols = 0;
};

// sums[m][n] = sum over k of in[m][k] * weight[n][k]; or that is added to what is there.
struct ProductArgs {
  const void* in;     // as they are, or packed: products or packed_products
  DType in_type;      // F32; or BF16 if the weights are too: rows are then zeros from k on, up to a multiple of kPairStep
  int64_t in_stride;  // in elements; of packed rows in units of 4 bytes
  int64_t rows;
  const void* weight;  // (columns, k), dense; unused where they are in int4
  DType dtype;         // of the weights; in int4 that which they are rounded to behind int4.type
  Int4Rows int4;       // has values where the weights are in int4
  int64_t cols;
  ColumnRuns runs;     // products only
  WeightsAhead ahead;  // packed_products only
  int64_t k;
  float* sums;  // sums_stride is a multiple of kTaskCols where rows are packed: whole tiles are written
  int64_t sums_stride;
  float* packed;  // scratch of packed_products, kPackedFloats
  bool adds;      // to the sums of a product of the same columns before
};

// ---- int8, as backend/int8.h says. Rows are a multiple of kInt8Align bytes, the last of them zeros (of weights). ----------

// One row of activations, quantized: byte = 128 + x / scale, 128 for those in the list.
struct Int8Activation {
  uint8_t* values;
  float* scale;
  Int8Outlier* outliers;  // kMostOutliers, by column
  int32_t* outlier_count;
};

struct Int8Activations {
  const uint8_t* values;
  int64_t stride;  // bytes; the weights' too
  const float* scales;
  const Int8Outlier* outliers;
  const int32_t* outlier_counts;
};

struct Int8WeightRows {
  const int8_t* values;
  const float* scales;
  const int32_t* sums;  // of a row's values
};

struct Int8ProductArgs {
  Int8Activations in;
  int64_t rows;
  Int8WeightRows weight;
  int64_t cols;
  bool streams;        // the weights past, as products does; else they are packed
  ColumnRuns runs;     // of those that stream
  WeightsAhead ahead;  // of others
  float* sums;         // of others as those of packed_products
  int64_t sums_stride;
  int32_t* totals;  // scratch, like sums
  float* packed;    // kPackedFloats
};

inline constexpr int64_t packed_row_units(int64_t n, DType type) {
  return type == DType::F32 ? (n + 15) / 16 * 16 : (n + kPairStep - 1) / kPairStep * (kPairStep / 2);
}

enum class EpilogueKind : uint8_t { None, Gelu, SwiGlu };

// out[m][n] = residual[m][n] + scale[n] * f(sums[m][n] + bias[n]), each of bias, scale, residual left out when null;
// SwiGlu: f = silu(sums + bias) * (up + up_bias). residual may be out.
struct EpilogueArgs {
  EpilogueKind kind;
  int64_t rows;
  int64_t cols;
  const float* sums;
  const float* up;  // SwiGlu only
  int64_t sums_stride;
  const float* bias;
  const float* up_bias;
  const float* scale;
  const float* residual;
  int64_t residual_stride;
  float* out;
  int64_t out_stride;
};

// Softmax(scale * q k^T) v of `positions` x `heads` queries (at most kQueryBlock) that share one key/value head. The
// queries of position p see the first visible + p * visible_step keys.
struct AttentionArgs {
  int64_t positions;
  int64_t heads;
  int64_t head_dim;  // a multiple of 8, at most kMaxHeadDim
  const float* q;    // head h of position p at q + p * q_stride + h * head_dim
  int64_t q_stride;
  float* out;  // likewise
  int64_t out_stride;
  // Key t is row t % block_rows of block t / block_rows, kv_stride elements from row to row. Offsets are in bytes from a block's
  // begin, scales are Int8's alone, one for each row.
  const void* const* blocks;
  int64_t block_rows;  // a multiple of kKeyTile, unless there is one block
  KvType kv_type;
  int64_t kv_stride;
  size_t keys, values;
  size_t key_scales, value_scales;
  int64_t visible;
  int64_t visible_step;
  float scale;
  float* scratch;  // kAttentionScratchFloats
};

// A head's keys and values for attention in pairs, in bf16 and packed in tiles of kKeyTile. A tile is units of 4 bytes: keys as
// columns, (head_dim / 2, kKeyTile) pairs of elements, then values, (kKeyTile / 2, pair_cols(head_dim)) pairs of keys.
inline constexpr int64_t pair_cols(int64_t n) { return (n + 15) / 16 * 16; }
inline constexpr int64_t pair_tile_units(int64_t head_dim) { return kKeyTile / 2 * (head_dim + pair_cols(head_dim)); }
inline constexpr int64_t pair_tiles(int64_t tokens) { return (tokens + kKeyTile - 1) / kKeyTile; }

struct PairTileArgs {
  const float* keys;  // key t at keys + t * stride
  const float* values;
  int64_t stride;
  int64_t count;     // at most kKeyTile
  int64_t head_dim;  // as in AttentionArgs
  float* out;        // pair_tile_units(head_dim)
};

// Softmax(scale * q k^T) v of at most kQueryBlock queries that see all keys, in pairs of bf16.
struct PairAttentionArgs {
  int64_t queries;
  int64_t head_dim;
  const float* q;  // query i at q + i * q_stride
  int64_t q_stride;
  float* out;  // likewise
  int64_t out_stride;
  const float* tiles;
  int64_t tokens;  // in the tiles
  float scale;
  float* scratch;  // kAttentionScratchFloats
};

// out (rows, cols) = the sum over k < depth, in order, of in[m][k] * with[k][n], or that is added to what is there. All are f32 as they
// lie: in[m][k] at in + m * in_row + k * in_step, so a transposed one needs no copy.
struct SmallProductArgs {
  const float* in;
  int64_t in_row, in_step;
  const float* with;
  int64_t with_stride;
  float* out;
  int64_t out_stride;
  int64_t rows, cols, depth;
  bool adds;
};

// Functions of one variable, for the accuracy tests.
enum class MathFunction : uint8_t { Exp, Erf, Gelu, Silu };

struct KernelTable {
  const char* name;  // as processor.h names them

  // Of one to kMostStreamedRows rows, activations as they are.
  void (*products)(const ProductArgs&);
  // A row of n activations packed for products of many rows, in f32 or rounded to bf16: packed_row_units(n, type) units of 4 bytes.
  void (*pack_row)(void* out, DType type, const float* in, int64_t n);
  // Of any number of rows. Bits are those of products.
  void (*packed_products)(const ProductArgs&);
  void (*epilogue)(const EpilogueArgs&);
  void (*int8_products)(const Int8ProductArgs&);
  // n f32 to `stride` bytes.
  void (*int8_quantize)(const Int8Activation& out, const float* in, int64_t n, int64_t stride);
  void (*int8_quantize_weights)(int8_t* out, float* scale, int32_t* sum, const float* in, int64_t n, int64_t stride);
  // A row as backend/int4.h says, of groups of kInt4Group and scales of `type`.
  // `importance` as RowCodec has it.
  void (*int4_quantize_weights)(uint8_t* out, void* scales, DType type, const float* in, const float* importance, int64_t n);
  void (*attention)(const AttentionArgs&);
  // Of keys and values in bf16 alone. Queries and the softmax's weights are rounded, too, and multiplied as pair_attention does.
  void (*cached_pair_attention)(const AttentionArgs&);
  void (*pack_pair_tile)(const PairTileArgs&);
  void (*pair_attention)(const PairAttentionArgs&);
  void (*small_product)(const SmallProductArgs&);

  // out = in / sqrt(mean(in^2) + eps) * weight; LayerNorm also subtracts the mean and adds bias. out may be in.
  void (*rms_norm)(float* out, const float* in, const float* weight, float eps, int64_t n);
  void (*layer_norm)(float* out, const float* in, const float* weight, const float* bias, float eps, int64_t n);
  // Rotates the halves of `heads` heads in place; cos_sin holds head_dim / 2 cosines, then as many sines.
  void (*rotate)(float* x, const float* cos_sin, int64_t heads, int64_t head_dim);
  void (*add)(float* out, const float* a, const float* b, int64_t n);
  // x += the sum over i in [0, count), in order from zero, of weights[i] * row numbers[i] of `rows`, n numbers each.
  void (*add_weighted)(float* x, const float* rows, int64_t stride, const int64_t* numbers, const float* weights, int64_t count,
                       int64_t n);

  // f32 <-> type, n elements; round to nearest even.
  void (*widen)(float* out, const void* in, DType type, int64_t n);
  void (*narrow)(void* out, DType type, const float* in, int64_t n);
  // A row of the cache, as backend/kv_type.h says.
  void (*narrow_to_int8)(int8_t* out, float* scale, const float* in, int64_t n);

  void (*evaluate)(MathFunction function, float* out, const float* in, int64_t n);

  // Independent fused multiply-adds in registers, for measuring: returns the number of floating-point operations.
  double (*multiply_add)(int64_t iterations, float* sink);
  // The same for products of bf16 by bf16, and of bytes.
  double (*bf16_multiply_add)(int64_t iterations, float* sink);
  double (*int8_multiply_add)(int64_t iterations, float* sink);
  // Reads `bytes` (a multiple of 4096) as four streams and folds them into *sink.
  void (*read)(const void* data, size_t bytes, float* sink);
};

const KernelTable* kernel_table_plain();
#if defined(__x86_64__)
const KernelTable* kernel_table_avx2();
const KernelTable* kernel_table_avx2vnni();
const KernelTable* kernel_table_avx512();
const KernelTable* kernel_table_avx512vnni();
const KernelTable* kernel_table_avx512bf16();
#endif

}  // namespace ivl::cpu
