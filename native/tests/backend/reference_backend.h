// The judge of every other backend: each operation of backend.h as plain loops in double precision.
#pragma once

#include "backend/backend.h"
#include "host/host_memory.h"

namespace ivl::testing {

class ReferenceBackend final : public Backend {
 public:
  std::string description() const override { return "reference"; }
  DType activation_type() const override { return DType::F32; }

  Buffer allocate(size_t bytes) override;
  void to_host(float* out, const Matrix& in) override;
  void from_host(const Matrix& out, const float* in) override;
  void copy(const Matrix& out, const Matrix& in) override;
  void copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) override;

  std::unique_ptr<VectorWeights> vector(const HostTensor& source, DType as) override;
  std::unique_ptr<LinearWeights> linear(const LinearSource& source, DType as) override;
  std::unique_ptr<TableWeights> table(const HostTensor& source, DType as) override;
  std::unique_ptr<ExpertWeights> experts(int64_t count, const std::function<ExpertSource(int64_t)>& source, DType as) override;
  std::unique_ptr<AdapterWeights> adapter(const AdapterSource& source) override;

  void norm(const Output& out, const Matrix& in, const NormWeights& weights) override;
  void matmul(const Output& out, const LayerInput& in, const Epilogue& epilogue) override;
  void patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights, const PatchGeometry& geometry) override;
  void add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                               const Matrix& positions, int64_t pictures) override;
  void vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) override;
  void pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor, bool swap_back) override;
  void embed(const Matrix& out, const TableWeights& table, std::span<const int32_t> ids, std::span<const Splice> splices) override;
  void project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope, std::span<const Span> spans,
                   int64_t heads, const KvShape& shape, int64_t layer) override;
  // The second half of project_qkv.
  void rope_and_store(const Matrix& qkv, const Matrix& rope, std::span<const Span> spans, int64_t heads, const KvShape& shape,
                      int64_t layer, const HeadNorms& norms = {});
  void cached_attention(const Output& out, const Matrix& qkv, std::span<const Span> spans, int64_t heads, const KvShape& shape,
                        int64_t layer) override;
  void route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) override;
  void mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& experts) override;
  void gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) override;
  std::vector<Sampled> sample(const Matrix& logits, std::span<const Draw> draws) override;
};

}  // namespace ivl::testing
