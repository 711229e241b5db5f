#include "roofline/walk.h"

#include <algorithm>
#include <atomic>

#include "backend/gpus.h"
#include "emulation/memory.h"
#include "model/internvl_chat.h"
#include "model/work.h"

namespace roofline {
namespace {

using ivl::HostTensor;

// "One image and 64 words": the image's tokens, 1.4 a word, and the template's.
constexpr int kWordTokens = 90;
constexpr int kTemplateTokens = 60;

// Shapes without values. What the host itself reads (position embeddings) is small and made of zeros. In int8 the decoder's
// linear layers are quantized already: nothing then looks at more than their scales.
class ShapesOnly : public ivl::WeightSource {
 public:
  ShapesOnly(const ivl::ModelConfig& config, bool int8) : int8_(int8) {
    const ivl::ParamTable params(config);
    int64_t rows = 0;
    for (const ivl::Param& param : params.all()) rows = std::max(rows, param.shape[0]);
    scales_.resize(static_cast<size_t>(rows));
  }
  HostTensor tensor(const ivl::Param& param) override {
    const auto elements = static_cast<size_t>(param.elements());
    HostTensor tensor{elements <= kSmall ? zeros_.data() : nullptr, ivl::DType::BF16, param.shape};
    if (int8_ && param.shape.size() == 2) tensor.quantization = {ivl::WeightFormat::Int8, scales_.data()};
    return tensor;
  }

 private:
  static constexpr size_t kSmall = size_t{1} << 24;
  bool int8_;
  std::vector<float> scales_;
  std::vector<uint16_t> zeros_ = std::vector<uint16_t>(kSmall);
};

ivl::Precision precision_of(bool int8) {
  const auto format = int8 ? ivl::WeightFormat::Int8 : ivl::WeightFormat::Plain;
  return {ivl::DType::BF16, {format, format}};
}

class Walker {
 public:
  Walker(const ivl::ModelConfig& config, bool int8)
      : config_(config),
        int8_(int8),
        gpu_(ivl::make_gpu_backend(0, ivl::DType::BF16)),
        model_(ivl::Placement::on(gpu_, config.language.layers), config, std::make_unique<ShapesOnly>(config, int8),
               precision_of(int8)) {
    for (int64_t part = 0; part < model_.parts(); ++part) model_.load_part(part);
  }

  Walk run() {
    Walk result;
    result.prompt_tokens = static_cast<int>(config_.tokens_per_image()) + kWordTokens + kTemplateTokens;
    result.phases.push_back(recorded("image", [&] { encode(); }));
    result.phases.push_back(recorded("prompt", [&] { decode(1, 0, result.prompt_tokens); }));
    result.phases.push_back(recorded("step of one sequence", [&] { decode(1, result.prompt_tokens, 1); }));
    result.phases.push_back(recorded("step of eight sequences", [&] { decode(8, result.prompt_tokens, 1); }));
    const ivl::Work work = ivl::count_work(config_, int8_ ? 1 : 2, ivl::KvType::BF16);
    result.weight_bytes = work.weight_bytes;
    result.kv_bytes = work.kv_bytes_per_key * (result.prompt_tokens + 1);
    return result;
  }

 private:
  template <class Body>
  Phase recorded(const char* name, const Body& body) {
    Phase phase{name, {}};
    simt::record_launches(&phase.launches);
    body();
    simt::record_launches(nullptr);
    return phase;
  }

  void encode() {
    const std::vector<float> pixels(static_cast<size_t>(config_.vision.channels * config_.image_size * config_.image_size));
    model_.encode(pixels.data(), 1, nullptr, {open_, nullptr});
  }

  void decode(int sequences, int past, int rows) {
    const auto blocks = static_cast<size_t>(ivl::blocks_for(past + rows));
    std::vector<ivl::Buffer> memory;
    std::vector<std::vector<void*>> tables(static_cast<size_t>(sequences), std::vector<void*>(blocks));
    std::vector<ivl::KvTable> stages;
    stages.reserve(tables.size());
    std::vector<ivl::SequenceSpan> spans;
    std::vector<int32_t> ids, last;
    for (int i = 0; i < sequences; ++i) {
      for (void*& block : tables[static_cast<size_t>(i)]) {
        block = memory.emplace_back(gpu_->allocate(model_.kv_shapes().at(0).block_bytes())).data();
      }
      stages.emplace_back(tables[static_cast<size_t>(i)]);
      spans.push_back({i * rows, rows, past, {&stages.back(), 1}, past + rows});
      ids.resize(ids.size() + static_cast<size_t>(rows));
      last.push_back(static_cast<int32_t>(ids.size()) - 1);
    }
    const ivl::Logits logits = model_.decode({ids, {}, spans, last}, nullptr, {open_, nullptr});
    gpu_->sample(logits.matrix, std::vector<ivl::Draw>(static_cast<size_t>(sequences)));
  }

  ivl::ModelConfig config_;
  bool int8_;
  std::atomic<bool> open_{false};
  std::shared_ptr<ivl::Backend> gpu_;
  ivl::InternVLChat model_;
};

}  // namespace

Walk walk(const ivl::ModelConfig& config, bool int8) {
  const size_t capacity = simt::device_capacity(0);
  simt::set_device_capacity(0, size_t{200} << 30);
  simt::set_dry_run(true);
  Walk result = Walker(config, int8).run();
  simt::set_dry_run(false);
  simt::set_device_capacity(0, capacity);
  return result;
}

}  // namespace roofline
