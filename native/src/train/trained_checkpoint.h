// A checkpoint's weights with what was learnt in their place, each in the type that it is stored in.
#pragma once

#include "convert/checkpoint_rewriter.h"
#include "train/parameters.h"

namespace ivl {

class TrainedCheckpoint final : public CheckpointRewriter {
 public:
  // `parameters` outlive it. The folder is the one that they began with; pairs are left out, they are an adapter's.
  TrainedCheckpoint(const std::filesystem::path& folder, const std::filesystem::path& output, const Parameters& parameters);

 private:
  std::vector<TensorToWrite> written(const TensorInfo& tensor) const override { return {as_it_is(tensor)}; }
  void write(SafetensorsWriter& writer, const TensorInfo& tensor) override;

  const Parameters& parameters_;
};

}  // namespace ivl
