// The operations a model needs, as one small interface. src/model is written once over it and never names a backend;
// a backend never names a model.
//
// Shapes are (rows, cols); B pictures or sequences and T tokens are folded into the rows. Unless an operation says
// otherwise, matrices have the backend's activation_type() and may be strided, and `out` may not overlap an input.
//
// The promise every backend keeps: a row of a result depends on that row's inputs alone, bit for bit. The order of
// every reduction is fixed by constants, never by the number of rows, the number of threads, or how a prompt was cut
// into pieces. A token's activations are therefore the same alone, in any batch, prefilled or decoded.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/int4.h"
#include "backend/kv_type.h"
#include "backend/sampling.h"
#include "backend/weight_format.h"
#include "tensor/buffer.h"
#include "tensor/error.h"
#include "tensor/matrix.h"
#include "tensor/norm_kind.h"

namespace ivl {

// What belongs to the rows of a weight in another format than plain.
struct Quantization {
  WeightFormat format = WeightFormat::Plain;
  const void* scales = nullptr;    // Int8: (rows) f32; Int4: as Int4Rows has them
  const int32_t* sums = nullptr;   // Int8: (rows)
  const uint8_t* zeros = nullptr;  // Int4: as Int4Rows has them
  int64_t group = 0;               // Int4
};

// A tensor of a checkpoint as it lies in host memory: dense, row-major. The memory outlives the backend's weights.
struct HostTensor {
  const void* data = nullptr;  // null: only the shape matters, as when launches are counted; a GPU's copy is then zeros
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  // What data is where it is not plain, and what belongs to it; dtype is then that of the weights that it stands for.
  Quantization quantization = {};
  std::string where = {};                    // file and name, for messages
  std::shared_ptr<const Buffer> owner = {};  // of the memory, where the source does not keep it

  WeightFormat format() const { return quantization.format; }
  Int4Rows int4_rows() const {
    return {static_cast<const uint8_t*>(data), quantization.scales, quantization.zeros, quantization.group, dtype, shape[1]};
  }
  // Rows [begin, begin + count) of a weight, all of what belongs to them with them.
  HostTensor row_range(int64_t begin, int64_t count) const;
};

// Weights as a backend keeps them: in place where it can (the CPU reads a mapped checkpoint directly), or copied,
// converted and laid out as its kernels like. Opaque to the model.
struct VectorWeights {
  virtual ~VectorWeights() = default;
  int64_t size = 0;
};
struct LinearWeights {
  virtual ~LinearWeights() = default;
  int64_t in_features = 0;
  int64_t out_features = 0;  // the sum over the parts
};
struct TableWeights {
  virtual ~TableWeights() = default;
  int64_t rows = 0;
  int64_t cols = 0;
};

// One or several linear layers over the same input, stacked along the output: q|k|v, gate|up.
struct LinearSource {
  std::vector<HostTensor> weights;            // each (out_i, in)
  std::vector<HostTensor> biases;             // each (out_i), or none at all
  WeightFormat format = WeightFormat::Plain;  // to keep the weights in
};

// What an adapter (LoRA) adds to a layer: u = scale * (x A^T) of the input's rows x, and u B^T to the product, before anything that
// follows it. Where the layer has several parts, each has its own pair of A and B, or rows of a B that lies over several.
struct AdapterSource {
  struct Down {
    HostTensor weight;  // A: (rank, in), plain
    float scale = 1;
  };
  struct Up {
    int64_t rows = 0;        // of the layer's part
    int64_t down = -1;       // whose u it takes; -1: nothing is added to this part
    HostTensor weight = {};  // B: (rows, rank), plain
  };
  std::vector<Down> downs;
  std::vector<Up> ups;  // one a part of the layer
};

// A layer's share of an adapter as a backend keeps it.
struct AdapterWeights {
  virtual ~AdapterWeights() = default;
};

// Rows [row, row + rows) of a product's input, and what is added to their results, `weight` times.
struct AdaptedRows {
  int64_t row = 0;
  int64_t rows = 0;
  const AdapterWeights* adapter = nullptr;
  float weight = 1;
};

// Rows with the layer whose product takes them. An operation that writes such rows knows who reads them: a backend may make of
// them what the layer wants while they are at hand. Between that and the product nothing writes them.
struct LayerInput {
  Matrix rows;
  const LinearWeights& layer;
  // Adapters of some of the rows, which are added in this order; the others have the bits that they have without.
  std::span<const AdaptedRows> adapted = {};
};

// Where an operation writes: rows for anyone, or for a layer.
struct Output {
  Output(const Matrix& matrix) : rows(matrix) {}
  Output(const LayerInput& input) : rows(input.rows), reader(&input.layer) {}
  Matrix rows;
  const LinearWeights* reader = nullptr;
};

// Feed-forward layers down(silu(gate x) * up x) of equal shape, of which a row passes a few.
struct ExpertWeights {
  virtual ~ExpertWeights() = default;
  int64_t count = 0;
  int64_t in_features = 0;  // and as many out
  int64_t width = 0;        // of the inner rows
};

struct ExpertSource {
  LinearSource gate_up;  // two parts, of `width` rows each
  LinearSource down;
};

struct NormWeights {
  NormKind kind = NormKind::RmsNorm;
  float eps = 0;
  std::unique_ptr<VectorWeights> weight;
  std::unique_ptr<VectorWeights> bias;  // LayerNorm only
};

// Norms of each head's queries and keys, (head_dim) each; both or none.
struct HeadNorms {
  const NormWeights* q = nullptr;
  const NormWeights* k = nullptr;
};

enum class Activation {
  None,
  Gelu,    // x * (1 + erf(x / sqrt 2)) / 2, the exact form
  SwiGlu,  // silu(gate) * up; the weights are gate|up stacked, so out has half of out_features
};

// What follows a product while its result is still at hand:
// out = residual + scale * activation(x W^T + bias), with residual and scale left out when null.
struct Epilogue {
  Activation activation = Activation::None;
  const VectorWeights* scale = nullptr;  // (out cols), InternViT's layer scale
  const Matrix* residual = nullptr;      // may be the same matrix as out
};

struct PatchGeometry {
  int64_t pictures = 0;
  int64_t channels = 0;
  int64_t image_size = 0;  // pixels, square
  int64_t patch = 0;       // pixels, square; divides image_size
  int64_t grid() const { return image_size / patch; }
};

// Rows [row, row + rows) of the embedding are picture features instead of table rows.
struct Splice {
  int64_t row = 0;
  Matrix features;
};

// Positions of a block of a cache. It is a split of the GPU's attention and some of the CPU's tiles of keys, which begin at multiples
// of themselves: what is added, and in which order, is the same in blocks as it would be in one piece.
inline constexpr int64_t kKvBlock = 256;

struct KvShape {
  int64_t layers = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  KvType type = KvType::F32;
  // Of one token's key, or value, in one head.
  size_t row_bytes() const { return static_cast<size_t>(head_dim) * (type == KvType::Int8 ? 1 : size_of(float_type_of(type))); }
  size_t scale_bytes() const { return type == KvType::Int8 ? sizeof(float) : 0; }
  size_t bytes_per_token() const { return static_cast<size_t>(2 * layers * kv_heads) * (row_bytes() + scale_bytes()); }
  // Of a block (KvTable): from one head's keys, or values, to the next one's; from its begin to those of a head (part 0 its keys,
  // 1 its values); and all of it.
  size_t head_bytes() const { return static_cast<size_t>(kKvBlock) * (row_bytes() + scale_bytes()); }
  size_t head_offset(int64_t layer, int64_t part, int64_t head) const {
    return static_cast<size_t>((layer * 2 + part) * kv_heads + head) * head_bytes();
  }
  // From a head's numbers in a block to its scales.
  size_t scales_offset() const { return static_cast<size_t>(kKvBlock) * row_bytes(); }
  size_t block_bytes() const { return static_cast<size_t>(kKvBlock) * bytes_per_token(); }
};

// The cache of one sequence: the token at position p is row p % kKvBlock of block p / kKvBlock. A block is
// [layer][key, value][kv head], each head's [kKvBlock][head_dim] numbers dense, followed in int8 by its [kKvBlock] scales (f32).
using KvTable = std::span<void* const>;
inline int64_t blocks_hold(KvTable blocks) { return static_cast<int64_t>(blocks.size()) * kKvBlock; }
inline int64_t blocks_for(int64_t positions) { return (positions + kKvBlock - 1) / kKvBlock; }

// The rows of one sequence in a ragged batch: rows [row, row + rows) hold the tokens at positions
// [past, past + rows) of the sequence whose earlier tokens are in the cache.
struct Span {
  int64_t row = 0;
  int64_t rows = 0;
  int64_t past = 0;
  KvTable blocks;          // enough for all positions
  int64_t rope_begin = 0;  // the token at position p turns by row rope_begin + p of the table
};

class Gradients;  // backend/gradients.h

class Backend {
 public:
  virtual ~Backend() = default;

  // For people: "cpu: AVX-512, 2 threads".
  virtual std::string description() const = 0;
  // The type of activations between operations.
  virtual DType activation_type() const = 0;

  // ---- memory -----------------------------------------------------------------------------------------------
  // Zeroed or untouched-and-lazily-zero memory, aligned for the kernels. Error(OutOfMemory) names the size.
  virtual Buffer allocate(size_t bytes) = 0;
  // The stride that suits the kernels for scratch matrices of `cols` columns; at least that.
  virtual int64_t row_stride(int64_t cols, DType) const { return cols; }
  // Host <-> backend, converting between f32 and the matrix' type. Dense on the host side.
  virtual void to_host(float* out, const Matrix& in) = 0;
  virtual void from_host(const Matrix& out, const float* in) = 0;
  virtual void copy(const Matrix& out, const Matrix& in) = 0;
  // out = in, dense, where `in` lies in the memory of `from`. This one goes through the host.
  virtual void receive(const Matrix& out, const Matrix& in, Backend& from);
  // Copies the first `tokens` positions of every layer and head from one block of a cache to another.
  virtual void copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) = 0;

  // ---- passes -----------------------------------------------------------------------------------------------
  // Runs a pass that is likely to come again, a step of decoding: a backend may keep its launches as a graph and replay them.
  // `pass` calls operations of this backend alone, leaves nothing half done when it is called twice, and moves nothing to the
  // host.
  virtual void repeat(const std::function<void()>& pass) { pass(); }
  // Seconds that `work`, operations of this backend alone, takes: on a GPU by the GPU's clock. All of it is done at the end.
  virtual double timed(const std::function<void()>& work);
  // What training needs beside these operations, over the same memory and weights; null if the backend lacks it.
  virtual Gradients* gradients() { return nullptr; }

  // ---- weights ----------------------------------------------------------------------------------------------
  // `as` is the type to keep; a tensor already of that type, or any type when `as` is F32 (widening is exact), may be
  // used in place.
  virtual std::unique_ptr<VectorWeights> vector(const HostTensor& source, DType as) = 0;
  virtual std::unique_ptr<LinearWeights> linear(const LinearSource& source, DType as) = 0;
  virtual std::unique_ptr<TableWeights> table(const HostTensor& source, DType as) = 0;
  // `source(e)` gives expert e; each is asked for once, in order, and read before the next is asked for.
  virtual std::unique_ptr<ExpertWeights> experts(int64_t count, const std::function<ExpertSource(int64_t)>& source, DType as) = 0;

  // A layer's share of an adapter, which may come and go while the model is used.
  virtual std::unique_ptr<AdapterWeights> adapter(const AdapterSource& source) = 0;

  // No more weights will come, and those that came are in place: what only loading needs can go.
  virtual void finish_weights() {}

  // ---- both towers ------------------------------------------------------------------------------------------
  // Normalizes each row in f32, rounds to the activation type, then multiplies by the weight (and adds the bias).
  // In place is allowed.
  virtual void norm(const Output& out, const Matrix& in, const NormWeights& weights) = 0;
  // out (M, out_features or half) from in (M, in_features). See Epilogue. `out` may be f32 whatever the type of in.
  virtual void matmul(const Output& out, const LayerInput& in, const Epilogue& epilogue) = 0;

  // ---- vision tower -----------------------------------------------------------------------------------------
  // The patch convolution: pixels (B, channels*S*S) -> out (B*grid*grid, C); weights (C, channels*patch*patch).
  virtual void patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights,
                           const PatchGeometry& geometry) = 0;
  // out (B*(1+P), C): per picture the class embedding and then its P patches, position embeddings (1+P, C) added.
  virtual void add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                                       const Matrix& positions, int64_t pictures) = 0;
  // Softmax(q k^T / sqrt(head_dim)) v without a mask. qkv (B*T, 3*heads*head_dim) -> out (B*T, heads*head_dim).
  virtual void vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) = 0;
  // Drops each picture's class token and folds factor x factor patches into one row, as the original's
  // pixel_shuffle does: (g, g, c) -> (g, g/f, f*c) -> swap -> (g/f, g/f, f*f*c), which v1 leaves transposed and v2
  // swaps back. in (B*(1+g*g), C) -> out (B*(g/f)^2, f*f*C).
  virtual void pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                             bool swap_back) = 0;
  // norm() of that, with out as there. This one does the one after the other.
  virtual void pixel_shuffle_norm(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                                  bool swap_back, const NormWeights& weights);

  // ---- decoder ----------------------------------------------------------------------------------------------
  // out (rows, hidden): the table's row of each id, except where a splice lies.
  virtual void embed(const Matrix& out, const TableWeights& table, std::span<const int32_t> ids,
                     std::span<const Splice> splices) = 0;
  // The product with q|k|v, of which q and k are normalized head by head, if `norms` has such, and turned by the rotate-half
  // RoPE; k and v go into the caches at the rows' positions. qkv (rows, (heads + 2*kv_heads)*head_dim) holds q in its first heads*head_dim columns, the others are
  // scratch. rope (positions, head_dim) f32: cos of each frequency, then sin; see Span::rope_begin.
  virtual void project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope,
                           std::span<const Span> spans, int64_t heads, const KvShape& shape, int64_t layer) = 0;
  // Causal attention of the rows' queries over their sequence's cache, rows' own keys included (stored before).
  // q are the first heads*head_dim columns of qkv; query head h reads kv head h / (heads / kv_heads).
  virtual void cached_attention(const Output& out, const Matrix& qkv, std::span<const Span> spans, int64_t heads,
                                const KvShape& shape, int64_t layer) = 0;
  // For each row the experts that it passes, k = routes.cols / 2 of them: routes (rows, 2k) f32 has their numbers, ascending, then
  // their weights in the same order. Of p = softmax(router in), all in f32, these are the k largest, among equals those of the lower
  // numbers; weights are their p, if `normalizes` divided by their sum, rounded to the activation type. A row that is not finite
  // has k experts, too, and weights that are not finite.
  virtual void route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) = 0;
  // x += the sum of weight * expert(in) over the row's experts, in the order of routes, in f32 up to the one rounding of x.
  virtual void mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& experts) = 0;
  // out row i = in row rows[i].
  virtual void gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) = 0;
  // A token for each row of logits (rows, vocabulary) f32, chosen as sampling.h says. Only what was chosen comes to the host.
  // A row whose logits are not finite numbers has a failure, Error(NotFinite); the others have their tokens.
  virtual std::vector<Sampled> sample(const Matrix& logits, std::span<const Draw> draws) = 0;
};

}  // namespace ivl
