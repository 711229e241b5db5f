// An adapter merged into its checkpoint: W becomes W + scale * B A.
#pragma once

#include <map>
#include <optional>

#include "convert/checkpoint_rewriter.h"
#include "host/thread_pool.h"
#include "model/adapters/lora_tensors.h"
#include "model/config.h"

namespace ivl {

enum class MergeRounding : uint8_t {
  Once,    // of the sum alone, to the type that the weight is stored in
  InType,  // A, B, their product, its multiple and the sum are each rounded to that type, as the original's own tool does in 16 bits
};

class AdapterMerger final : private Rewrite {
 public:
  // Checks the checkpoint, the adapter and that `output` is a folder without weights (it is made if it is not there). Without an
  // adapter the checkpoint's own pairs are merged (ModelConfig::lora); with one, both are, which is rounded once more. Tensors then have
  // the names of a checkpoint without pairs. Files other than weights are the caller's. Nothing is written yet. threads: 0 for as many
  // as the process may use.
  AdapterMerger(const std::filesystem::path& folder, const std::optional<std::filesystem::path>& adapter,
                std::filesystem::path output, MergeRounding rounding, int threads);

  int64_t done() const { return rewriter_->done(); }
  int64_t total() const { return rewriter_->total(); }
  uint64_t bytes_done() const { return rewriter_->bytes_done(); }
  uint64_t bytes_total() const { return rewriter_->bytes_total(); }
  // Does the next tensor. Does nothing after the last. Error(NotFinite) if a merged weight is beyond its type's range.
  void step() { rewriter_->step(*this); }

 private:
  std::vector<TensorToWrite> written(const TensorInfo& tensor) const override;
  void write(SafetensorsWriter& writer, const TensorInfo& tensor) override;
  void require_mergeable(const ParamTable& params) const;
  void find_names(const ParamTable& params);
  void merge(std::vector<std::byte>& weight, const TensorInfo& tensor, const LoraPair& pair);

  ModelConfig config_;
  Checkpoint checkpoint_;
  std::vector<LoraTensors> adapters_;
  std::map<std::string, std::string, std::less<>> names_;  // of tensors that are called otherwise; empty for those that go
  MergeRounding rounding_;
  ThreadPool pool_;
  std::optional<CheckpointRewriter> rewriter_;  // once all is checked
};

}  // namespace ivl
