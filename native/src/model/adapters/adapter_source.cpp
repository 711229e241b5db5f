#include "model/adapters/adapter_source.h"

#include "host/host_memory.h"

namespace ivl {
namespace {

// A backend multiplies by all of a layer's A at once: they have one type, the widest that there is.
void widen(HostTensor& tensor) {
  if (tensor.dtype == DType::F32) return;
  const auto count = static_cast<size_t>(tensor.shape[0] * tensor.shape[1]);
  auto memory = std::make_shared<const Buffer>(allocate_host(count * sizeof(float)));
  for (size_t i = 0; i < count; ++i) store_f32(memory->data(), DType::F32, i, load_f32(tensor.data, tensor.dtype, i));
  tensor.data = memory->data();
  tensor.dtype = DType::F32;
  tensor.owner = std::move(memory);
}

}  // namespace

std::vector<RowRange> rows_in_order(const Param& param) {
  return param.order.empty() ? std::vector<RowRange>{{0, param.shape[0]}} : param.order;
}

AdapterSource adapter_source(std::span<const Param> part, Use use, const std::function<const LoraPair*(const Param&)>& pair_of) {
  AdapterSource source;
  bool one_type = true;
  for (const Param& param : part) {
    if (param.use != use || param.role != Role::Linear || param.expert >= 0) continue;
    const LoraPair* pair = pair_of(param);
    const auto down = static_cast<int64_t>(source.downs.size());
    if (pair != nullptr) {
      one_type = one_type && (source.downs.empty() || source.downs[0].weight.dtype == pair->a.dtype);
      source.downs.push_back({pair->a, pair->scale});
    }
    for (const RowRange& rows : rows_in_order(param)) {
      if (pair == nullptr) {
        source.ups.push_back({rows.count});
      } else {
        source.ups.push_back({rows.count, down, pair->b.row_range(rows.begin, rows.count)});
      }
    }
  }
  for (AdapterSource::Down& down : source.downs) {
    if (!one_type) widen(down.weight);
  }
  return source;
}

}  // namespace ivl
