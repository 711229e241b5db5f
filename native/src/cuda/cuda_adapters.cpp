// Adapters: their copies on the GPU, and what a product adds of them.
#include <algorithm>

#include "cuda/cuda_backend.h"

namespace ivl::cuda {
namespace {

// Rows of 16-bit numbers that the host puts together, each source's at a place of its own among zeros.
class HostRows {
 public:
  HostRows(DType type, int64_t rows, int64_t cols) : type_(type), cols_(cols), numbers_(static_cast<size_t>(rows * cols)) {}

  void put(int64_t first_row, const HostTensor& from) {
    for (int64_t row = 0; row < from.shape[0]; ++row) {
      for (int64_t col = 0; col < from.shape[1]; ++col) {
        const float value = load_f32(from.data, from.dtype, static_cast<size_t>(row * from.shape[1] + col));
        store_f32(numbers_.data(), type_, static_cast<size_t>((first_row + row) * cols_ + col), value);
      }
    }
  }
  const std::vector<uint16_t>& numbers() const { return numbers_; }

 private:
  DType type_;
  int64_t cols_;
  std::vector<uint16_t> numbers_;
};

template <class N>
Buffer copy_on(const Device& device, const std::vector<N>& numbers) {
  Buffer memory = device.allocate(numbers.size() * sizeof(N));
  device.upload(memory.data(), numbers.data(), numbers.size() * sizeof(N));
  return memory;
}

}  // namespace

template <class T>
std::unique_ptr<AdapterWeights> CudaBackend<T>::adapter(const AdapterSource& source) {
  require(!source.downs.empty(), "adapter: at least one pair");
  int64_t rank = 0, outputs = 0;
  for (const AdapterSource::Down& pair : source.downs) rank = std::max(rank, padded_to_8(pair.weight.shape[0]));
  for (const AdapterSource::Up& up : source.ups) outputs += up.rows;
  const auto pairs = static_cast<int64_t>(source.downs.size());
  HostRows down(activation_type(), pairs * rank, padded_to_8(source.downs[0].weight.shape[1])),
      up(activation_type(), outputs, rank);
  std::vector<float> scales;
  for (const AdapterSource::Down& pair : source.downs) {
    down.put(static_cast<int64_t>(scales.size()), pair.weight);
    scales.insert(scales.end(), static_cast<size_t>(rank), pair.scale);
  }
  std::vector<int> pair_of;
  for (const AdapterSource::Up& part : source.ups) {
    if (part.down >= 0) up.put(static_cast<int64_t>(pair_of.size()), part.weight);
    pair_of.insert(pair_of.end(), static_cast<size_t>(part.rows), static_cast<int>(part.down));
  }
  auto weights = std::make_unique<CudaAdapter>();
  weights->pairs = static_cast<int>(pairs);
  weights->rank = static_cast<int>(rank);
  weights->down = copy_on(device_, down.numbers());
  weights->scales = copy_on(device_, scales);
  weights->up = copy_on(device_, up.numbers());
  weights->pair_of = copy_on(device_, pair_of);
  return weights;
}

template <class T>
gpu::Added<T> CudaBackend<T>::added_to(const CudaLinear& layer, gpu::Rows<const T> in, Adapted adapted) {
  if (adapted.empty()) return {};
  std::vector<gpu::AddedRows<T>> entries;
  gpu::LowRank<T> work;
  int64_t numbers = 0;  // of all u
  for (const AdaptedRows& rows : adapted) {
    const auto& adapter = static_cast<const CudaAdapter&>(*rows.adapter);
    const int ranks = adapter.pairs * adapter.rank;
    entries.push_back({rows.row, rows.rows, static_cast<const T*>(adapter.down.data()),
                       static_cast<const float*>(adapter.scales.data()), rows.weight, adapter.pairs, adapter.rank,
                       static_cast<const T*>(adapter.up.data()), static_cast<const int*>(adapter.pair_of.data()), numbers});
    numbers += rows.rows * ranks;
    work.most_rows = std::max(work.most_rows, rows.rows);
    work.most_ranks = std::max(work.most_ranks, ranks);
  }
  work.in = in;
  work.in_features = static_cast<int>(layer.padded_in);
  work.added.count = static_cast<int>(entries.size());
  work.added.entries = added_[&layer].on(device_, std::move(entries));
  work.added.u = static_cast<float*>(grown(device_, low_rank_, static_cast<size_t>(numbers) * sizeof(float)));
  device_.use();
  check(gpu::low_rank(work, device_.stream()), "adapters");
  return work.added;
}

template class CudaBackend<gpu::bf16>;
template class CudaBackend<gpu::f16>;

}  // namespace ivl::cuda
