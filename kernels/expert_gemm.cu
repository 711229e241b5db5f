#include "expert_gemm.h"

#include "device/float_product.h"
#include "device/int8_product.h"

namespace gpu {
namespace {

// An expert's tile of rows; expert is -1 where there is none left.
struct ExpertTile {
  int expert = -1;
  int first_row = 0;
  int end = 0;  // of the expert's rows
};

// The index-th tile of `Height` rows. Each warp looks for itself, a lane for every 32nd expert: no barrier, and few loads.
template <int Height>
GPU_DEVICE ExpertTile find_tile(const ExpertRows& rows, int index) {
  ExpertTile tile;
  int before = 0;
  for (int first = 0; first < rows.experts && tile.expert < 0; first += kWarp) {
    const int e = first + lane();
    const int begin = e < rows.experts ? rows.offsets[e] : 0;
    const int end = e < rows.experts ? rows.offsets[e + 1] : 0;
    const int own = (end - begin + Height - 1) / Height;
    int all = 0;
    const int place = index - before - warp_exclusive_sum(own, all);
    const int holder = static_cast<int>(warp_reduce<Max>(place >= 0 && place < own ? static_cast<float>(lane()) : -1.0f));
    const int holder_first = __shfl_sync(kAllLanes, begin + place * Height, holder < 0 ? 0 : holder);
    const int holder_end = __shfl_sync(kAllLanes, end, holder < 0 ? 0 : holder);
    if (holder >= 0) {
      tile = {first + holder, holder_first, holder_end};
    }
    before += all;
  }
  return tile;
}

template <class T>
GPU_DEVICE int64_t weight_rows_of(const Epilogue<T>& e, int out_features) {
  return (is_paired(e.activation) ? 2 : 1) * static_cast<int64_t>(out_features);
}
template <class T>
GPU_DEVICE void take_weights_of(Gemm<T>& p, int64_t expert) {
  p.weight += expert * weight_rows_of(p.epilogue, p.out_features) * p.in_features;
}
template <class T>
GPU_DEVICE void take_weights_of(Int8Gemm<T>& p, int64_t expert) {
  const int64_t row = expert * weight_rows_of(p.epilogue, p.out_features);
  p.weights.values += row * p.weights.in_features;
  p.weights.scales += row;
}

// blockIdx.x counts tiles of rows, blockIdx.y columns of tiles.
template <class Product, class Operation>
GPU_DEVICE void run_expert_tile(Operation p, const ExpertRows& rows, bool by_four, char* memory) {
  const ExpertTile tile = find_tile<Product::kRows>(rows, static_cast<int>(blockIdx.x));
  if (tile.expert >= 0) {
    take_weights_of(p, tile.expert);
    TilePlace place = place_of_tile<Product>(p.epilogue.activation, tile.end, p.out_features, by_four);
    place.first_row = tile.first_row;
    Product product;
    multiply(product, p, place, memory);
    finish(product, p, place);
  }
}

template <class T, class Product>
__global__ void __launch_bounds__(Product::kThreads, Product::kBlocks)
    expert_gemm_kernel(Gemm<T> p, ExpertRows rows, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  run_expert_tile<Product>(p, rows, by_four, memory);
}

template <class T, class Product>
__global__ void __launch_bounds__(Product::kThreads, Product::kBlocks)
    expert_int8_gemm_kernel(Int8Gemm<T> p, ExpertRows rows, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  run_expert_tile<Product>(p, rows, by_four, memory);
}

template <class Product, auto Kernel, class Operation>
cudaError_t launch_expert_tiles(const char* name, const Operation& p, const ExpertRows& rows, int in_features, size_t element,
                                cudaStream_t stream) {
  const int64_t met = p.rows < rows.experts ? p.rows : rows.experts;  // experts with rows, at most
  Cost cost = cost_of(p);
  cost.read += static_cast<double>((met - 1) * (is_paired(p.epilogue.activation) ? 2 : 1) * p.out_features) * in_features *
               static_cast<double>(element);
  cost.read += (rows.experts + 1.0) * sizeof(int);
  next_launch_costs(cost);
  // A tile for each of the rows' whole ones, and one that is not full for each expert; some find that they are not needed.
  const int64_t tiles = (p.rows - met) / Product::kRows + met;
  dim3 grid = grid_of_tiles<Product>(p.epilogue.activation, 1, p.out_features);
  grid.x = static_cast<unsigned>(tiles);
  return launch<Kernel>(name, grid, dim3(Product::kThreads), Product::kSharedBytes, stream, p, rows,
                        moves_by_four(p.epilogue, p.out_features));
}

// Few rows of each expert: its weights' bytes are the floor, and low tiles keep more of them in flight.
bool few_rows_each(int64_t rows, const ExpertRows& of) { return of.most <= kFewRows || rows <= kFewRows / 2 * of.experts; }

}  // namespace

template <class T>
cudaError_t expert_gemm(const Gemm<T>& p, const ExpertRows& rows, cudaStream_t stream) {
  if (few_rows_each(p.rows, rows)) {
    return launch_expert_tiles<FewRows<T>, expert_gemm_kernel<T, FewRows<T>>>("expert_gemm_few_rows", p, rows, p.in_features,
                                                                              sizeof(T), stream);
  }
  return launch_expert_tiles<SomeRows<T>, expert_gemm_kernel<T, SomeRows<T>>>("expert_gemm", p, rows, p.in_features, sizeof(T),
                                                                              stream);
}

template <class T>
cudaError_t expert_int8_gemm(const Int8Gemm<T>& p, const ExpertRows& rows, cudaStream_t stream) {
  const int in_features = p.weights.in_features;
  if (few_rows_each(p.rows, rows)) {
    return launch_expert_tiles<FewRowsOfBytes, expert_int8_gemm_kernel<T, FewRowsOfBytes>>("expert_int8_gemm_few_rows", p, rows,
                                                                                           in_features, 1, stream);
  }
  return launch_expert_tiles<SomeRowsOfBytes, expert_int8_gemm_kernel<T, SomeRowsOfBytes>>("expert_int8_gemm", p, rows, in_features,
                                                                                           1, stream);
}

template cudaError_t expert_gemm(const Gemm<bf16>&, const ExpertRows&, cudaStream_t);
template cudaError_t expert_gemm(const Gemm<f16>&, const ExpertRows&, cudaStream_t);
template cudaError_t expert_int8_gemm(const Int8Gemm<bf16>&, const ExpertRows&, cudaStream_t);
template cudaError_t expert_int8_gemm(const Int8Gemm<f16>&, const ExpertRows&, cudaStream_t);

}  // namespace gpu
