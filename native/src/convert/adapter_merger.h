// An adapter merged into its checkpoint: W becomes W + scale * B A.
#pragma once

#include <map>
#include <optional>

#include "convert/checkpoint_rewriter.h"
#include "host/thread_pool.h"
#include "model/adapters/lora_tensors.h"

namespace ivl {

enum class MergeRounding : uint8_t {
  Once,    // of the sum alone, to the type that the weight is stored in
  InType,  // A, B, their product, its multiple and the sum are each rounded to that type, as the original's own tool does in 16 bits
};

class AdapterMerger final : public CheckpointRewriter {
 public:
  // Checks the checkpoint, the adapter and that `output` is a folder without weights (it is made if it is not there). Without an
  // adapter the checkpoint's own pairs are merged (ModelConfig::lora); with one, both are, which is rounded once more. Tensors then have
  // the names of a checkpoint without pairs. Files other than weights are the caller's. Nothing is written yet; step() is
  // Error(NotFinite) if a merged weight is beyond its type's range. threads: 0 for as many as the process may use.
  AdapterMerger(const std::filesystem::path& folder, const std::optional<std::filesystem::path>& adapter,
                std::filesystem::path output, MergeRounding rounding, int threads);

 private:
  std::vector<TensorToWrite> written(const TensorInfo& tensor) const override;
  void write(SafetensorsWriter& writer, const TensorInfo& tensor) override;
  void require_mergeable() const;
  void find_names();
  void merge(std::vector<std::byte>& weight, const TensorInfo& tensor, const LoraPair& pair);

  std::vector<LoraTensors> adapters_;
  std::map<std::string, std::string, std::less<>> names_;  // of tensors that are called otherwise; empty for those that go
  MergeRounding rounding_;
  ThreadPool pool_;
};

}  // namespace ivl
