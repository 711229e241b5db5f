// The device's part of epilogue.h: from a TileProduct's sums to memory.
#pragma once

#include "device/number.h"
#include "device/quad.h"
#include "device/tile_product.h"
#include "device/vector.h"
#include "epilogue.h"
#include "gemm.h"

namespace gpu {

// Where a tile's results go. Rows from `rows` on and columns from `columns` on do not exist.
struct TilePlace {
  int64_t first_row = 0;
  int64_t rows = 0;
  int first_column = 0;
  int columns = 0;
  bool by_four = false;  // columns and all strides are multiples of 4, so four neighbours move together

  // How many of a tile's rows exist.
  template <class Product>
  GPU_DEVICE int rows_of_tile() const {
    return rows - first_row < Product::kRows ? static_cast<int>(rows - first_row) : Product::kRows;
  }
};

// Whether each of a tile's output columns is made of two weight rows: a gate and its up, or what turns together.
GPU_ANYWHERE bool is_paired(Activation activation) { return activation == Activation::SwiGlu || activation == Activation::Rope; }

// How many output columns a tile of `Product` has.
template <class Product>
GPU_ANYWHERE int columns_of_tile(Activation activation) {
  return is_paired(activation) ? Product::kColumns / 2 : Product::kColumns;
}

// Blocks that run together share their weights: a column of tiles is done before the next.
template <class Product>
dim3 grid_of_tiles(Activation activation, int64_t rows, int columns) {
  const int own = columns_of_tile<Product>(activation);
  return {static_cast<unsigned>((rows + Product::kRows - 1) / Product::kRows), static_cast<unsigned>((columns + own - 1) / own)};
}

// This block's place in that grid.
template <class Product>
GPU_DEVICE TilePlace place_of_tile(Activation activation, int64_t rows, int columns, bool by_four) {
  return {static_cast<int64_t>(blockIdx.x) * Product::kRows, rows,
          static_cast<int>(blockIdx.y) * columns_of_tile<Product>(activation), columns, by_four};
}

// The row of the weights for column c of a tile that begins at output column `first`, or -1. Where columns are paired, eight
// rows and their eight partners alternate, so that one thread holds both; a tile then has half as many output columns.
template <class T>
GPU_DEVICE int64_t weight_row_of(const Epilogue<T>& e, int c, int first, int columns) {
  if (!is_paired(e.activation)) {
    return first + c < columns ? first + c : -1;
  }
  const int column = first + c / 16 * 8 + c % 8;
  const bool partner = c / 8 % 2 != 0;
  if (column >= columns) {
    return -1;
  }
  if (e.activation == Activation::SwiGlu) {
    return column + (partner ? columns : 0);
  }
  const int half = e.rope.head_dim / 2;
  return column / half * e.rope.head_dim + column % half + (partner ? half : 0);
}

template <class T, class Product>
GPU_DEVICE void multiply(Product& product, const Gemm<T>& p, const TilePlace& place, char* memory) {
  product.run(memory,
              {p.in.data + place.first_row * p.in.stride, p.in.stride * static_cast<int64_t>(sizeof(T)),
               place.rows_of_tile<Product>(), p.weight, p.in_features * static_cast<int>(sizeof(T))},
              [&](int c) { return weight_row_of(p.epilogue, c, place.first_column, p.out_features); });
}

template <class T>
GPU_DEVICE float bias_at(const T* bias, int at) {
  return bias != nullptr ? to_float(bias[at]) : 0.0f;
}

// A product's sum of a row and a row of the weights with what adapters add to it, as if theirs were more of its columns.
template <class T>
GPU_DEVICE float with_adapters(const Epilogue<T>& e, int64_t row, int weight_row, float sum) {
  for (int i = 0; i < e.added.count; i++) {
    const AddedRows<T>& added = e.added.entries[i];
    if (row < added.row || row >= added.row + added.rows || added.pair_of[weight_row] < 0) {
      continue;
    }
    const T* up = added.up + static_cast<int64_t>(weight_row) * added.rank;
    const float* u = e.added.u + added.first + ((row - added.row) * added.pairs + added.pair_of[weight_row]) * added.rank;
    for (int k = 0; k < added.rank; k += 8) {
      const auto b = load_constant<Vector<T, 8>>(up + k);
      const auto low = load_constant<Vector<float, 4>>(u + k);
      const auto high = load_constant<Vector<float, 4>>(u + k + 4);
#pragma unroll
      for (int j = 0; j < 8; j++) {
        sum = __fmaf_rn(j < 4 ? low.at[j % 4] : high.at[j % 4], to_float(b.at[j]), sum);
      }
    }
  }
  return sum;
}

GPU_DEVICE float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678f)); }
GPU_DEVICE float silu(float x) { return __fdividef(x, 1.0f + __expf(-x)); }

// residual + scale * x, each left out where it is missing.
template <class T>
GPU_DEVICE float combined(const Epilogue<T>& e, float x, T scale, T residual) {
  if (e.residual.data == nullptr) {
    return e.scale != nullptr ? x * to_float(scale) : x;
  }
  return e.scale != nullptr ? __fmaf_rn(to_float(scale), x, to_float(residual)) : x + to_float(residual);
}

template <class T, class Watch>
GPU_DEVICE void put_four(const Epilogue<T>& e, int64_t row, int column, const float (&x)[4], const Watch& watch) {
  Vector<T, 4> scale{}, residual{}, rounded;
  Vector<float, 4> exact;
  if (e.scale != nullptr) {
    scale = load_constant<Vector<T, 4>>(e.scale + column);
  }
  if (e.residual.data != nullptr) {
    residual = load<Vector<T, 4>>(e.residual.data + row * e.residual.stride + column);
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    exact.at[i] = combined(e, x[i], scale.at[i], residual.at[i]);
    rounded.at[i] = from_float<T>(exact.at[i]);
  }
  if (e.out_f32.data != nullptr) {
    store(e.out_f32.data + row * e.out_f32.stride + column, exact);
  } else {
    store(e.out.data + row * e.out.stride + column, rounded);
    watch(row, column, rounded);
  }
}

template <class T>
GPU_DEVICE void put_one(const Epilogue<T>& e, int64_t row, int column, float x) {
  const T scale = e.scale != nullptr ? e.scale[column] : T{};
  const T residual = e.residual.data != nullptr ? e.residual.data[row * e.residual.stride + column] : T{};
  const float y = combined(e, x, scale, residual);
  if (e.out_f32.data != nullptr) {
    e.out_f32.data[row * e.out_f32.stride + column] = y;
  } else {
    e.out.data[row * e.out.stride + column] = from_float<T>(y);
  }
}

// The results of columns [column, column + 4), as many of them as exist.
template <class T, class Watch>
GPU_DEVICE void put(const Epilogue<T>& e, const TilePlace& place, int64_t row, int column, const float (&x)[4],
                    const Watch& watch) {
  if (place.by_four) {
    put_four(e, row, column, x, watch);
    return;
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (column + i < place.columns) {
      put_one(e, row, column + i, x[i]);
    }
  }
}

// Four of a head's elements with the four of its other half that they turn with; `column` counts pairs over all heads.
template <class T>
GPU_DEVICE void put_turned(const Epilogue<T>& e, int64_t row, int column, const float (&low)[4], const float (&high)[4]) {
  const RopeTarget<T>& r = e.rope;
  const int half = r.head_dim / 2;
  const int head = column / half;
  const int at = column % half;
  const CacheSlot<T> slot = r.slots[row];
  const bool turns = head < r.heads + r.kv_heads;
  const float* angles = r.table + static_cast<int64_t>(slot.turn) * r.head_dim + at;
  Vector<float, 4> c{{1, 1, 1, 1}}, s{};
  if (turns) {
    c = load_constant<Vector<float, 4>>(angles);
    s = load_constant<Vector<float, 4>>(angles + half);
  }
  Vector<T, 4> first, second;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    first.at[i] = from_float<T>(__fmaf_rn(low[i], c.at[i], -__fmul_rn(high[i], s.at[i])));
    second.at[i] = from_float<T>(__fmaf_rn(high[i], c.at[i], __fmul_rn(low[i], s.at[i])));
  }
  T* to = e.out.data + row * e.out.stride + head * r.head_dim;
  if (!turns) {
    to = slot.v + r.layer * slot.layer_stride + (head - r.heads - r.kv_heads) * slot.head_stride;
  } else if (head >= r.heads) {
    to = slot.k + r.layer * slot.layer_stride + (head - r.heads) * slot.head_stride;
  }
  store(to + at, first);
  store(to + half + at, second);
}

struct NoWatch {
  template <class V>
  GPU_DEVICE void operator()(int64_t, int, const V&) const {}
};

// Takes a TileProduct's sums to memory. value(row, weight row, sum) is the product without what follows, in f32;
// watch(row, column, four) sees what is stored in `out`, if it is stored by four. All threads of the block call run().
template <class T, class Product, class Value, class Watch>
struct Finish {
  const Product& product;
  const Epilogue<T>& e;
  const TilePlace& place;
  const Value& value;
  const Watch& watch;

  GPU_DEVICE void run() const {
#pragma unroll
    for (int m = 0; m < Product::kDown; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        if (is_paired(e.activation)) {
          pairs(m, half);
        } else {
          columns(m, half);
        }
      }
    }
  }

 private:
  GPU_DEVICE int64_t row(int m, int half) const { return place.first_row + Product::row_of(m) + 8 * half; }
  // The warp's first column in the tile, and this lane's place among the four that share a row.
  GPU_DEVICE static int warp_first() { return Product::column_of(0) - lane() % 4 * 2; }
  GPU_DEVICE static int quarter() { return lane() % 4; }

  // This lane's two neighbours of fragment n, with their bias.
  GPU_DEVICE void two(int m, int half, int n, float (&result)[2]) const {
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const int64_t weight = weight_row_of(e, Product::column_of(n) + i, place.first_column, place.columns);
      result[i] = 0;
      if (row(m, half) < place.rows && weight >= 0) {
        const auto weight_row = static_cast<int>(weight);
        const float sum = value(row(m, half), weight_row, product.sums[m][n][2 * half + i]);
        result[i] = with_adapters(e, row(m, half), weight_row, sum) + bias_at(e.bias, weight_row);
      }
    }
  }

  GPU_DEVICE void columns(int m, int half) const {
#pragma unroll
    for (int n = 0; n < Product::kAcross; n += 2) {
      float low[2], high[2], four[4];
      two(m, half, n, low);
      two(m, half, n + 1, high);
      four_neighbours(low, high, four);
      const int column = place.first_column + warp_first() + 8 * n + 4 * quarter();
      if (row(m, half) >= place.rows || column >= place.columns) {
        continue;
      }
      if (e.activation == Activation::Gelu) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          four[i] = gelu(four[i]);
        }
      }
      put(e, place, row(m, half), column, four, watch);
    }
  }

  // Fragments n and n + 2 are eight columns each, n + 1 and n + 3 their partners.
  GPU_DEVICE void pairs(int m, int half) const {
#pragma unroll
    for (int n = 0; n < Product::kAcross; n += 4) {
      constexpr bool kBoth = Product::kAcross >= 4;
      float low[2], high[2], first[4], second[4];
      two(m, half, n, low);
      two(m, half, kBoth ? n + 2 : n, high);
      four_neighbours(low, high, first);
      two(m, half, n + 1, low);
      two(m, half, kBoth ? n + 3 : n + 1, high);
      four_neighbours(low, high, second);
      const int column = place.first_column + (warp_first() + 8 * n) / 2 + 4 * quarter();
      if (row(m, half) >= place.rows || column >= place.columns || (!kBoth && quarter() >= 2)) {
        continue;
      }
      if (e.activation == Activation::Rope) {
        put_turned(e, row(m, half), column, first, second);
        continue;
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
        first[i] = silu(first[i]) * second[i];
      }
      put(e, place, row(m, half), column, first, watch);
    }
  }
};

template <class T, class Product, class Value, class Watch = NoWatch>
GPU_DEVICE void finish(const Product& product, const Epilogue<T>& e, const TilePlace& place, const Value& value,
                       const Watch& watch = {}) {
  Finish<T, Product, Value, Watch>{product, e, place, value, watch}.run();
}

template <class T, class Product>
GPU_DEVICE void finish(const Product& product, const Gemm<T>& p, const TilePlace& place) {
  finish(product, p.epilogue, place, [](int64_t, int, float sum) { return sum; });
}

// A block's part of a Gemm or an Int8Gemm.
template <class Product, class Operation>
GPU_DEVICE void run_tile(const Operation& p, bool by_four, char* memory) {
  const TilePlace place = place_of_tile<Product>(p.epilogue.activation, p.rows, p.out_features, by_four);
  Product product;
  multiply(product, p, place, memory);
  finish(product, p, place);
}

// Of a product with this epilogue; `element` is the size of the operands' elements.
template <class T>
Cost cost_of(const Epilogue<T>& e, int64_t rows, int in_features, int out_features, size_t element) {
  const double weight_rows = (is_paired(e.activation) ? 2.0 : 1.0) * out_features;
  const double results =
      static_cast<double>(rows) * (e.activation == Activation::Rope ? weight_rows : static_cast<double>(out_features));
  Cost cost;
  cost.read = (static_cast<double>(rows) + weight_rows) * in_features * static_cast<double>(element);
  cost.read += (e.bias != nullptr ? weight_rows : 0) * sizeof(T);
  cost.read += ((e.scale != nullptr ? out_features : 0) + (e.residual.data != nullptr ? results : 0)) * sizeof(T);
  if (e.activation == Activation::Rope) {  // as if every row had a position of its own
    cost.read += static_cast<double>(rows) * (sizeof(CacheSlot<T>) + e.rope.head_dim * sizeof(float));
  }
  cost.written = results * (e.out_f32.data != nullptr ? sizeof(float) : sizeof(T));
  cost.operations = 2.0 * static_cast<double>(rows) * weight_rows * in_features;
  return cost;
}

template <class T>
Cost cost_of(const Gemm<T>& p) {
  return cost_of(p.epilogue, p.rows, p.in_features, p.out_features, sizeof(T));
}

template <class T>
bool moves_by_four(const Epilogue<T>& e, int columns) {
  const auto four = [](int64_t n) { return n % 4 == 0; };
  return four(columns) && (e.out_f32.data != nullptr ? four(e.out_f32.stride) : four(e.out.stride)) &&
         (e.residual.data == nullptr || four(e.residual.stride));
}

// Of a kernel (Operation, bool) whose blocks each have a tile of `Product`.
template <class Product, auto Kernel, int OnlyMajor = 0, class Operation>
cudaError_t launch_tiles(const char* name, const Operation& p, cudaStream_t stream) {
  next_launch_costs(cost_of(p));
  const dim3 grid = grid_of_tiles<Product>(p.epilogue.activation, p.rows, p.out_features);
  return launch<Kernel, OnlyMajor>(name, grid, dim3(Product::kThreads), Product::kSharedBytes, stream, p,
                                   moves_by_four(p.epilogue, p.out_features));
}

}  // namespace gpu
