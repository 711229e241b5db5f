// Passes every call on to another backend and notes who calls: a thread that comes while another is inside, or in a pass of
// repeat(), is an intruder. So is one that frees memory then.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/backend.h"

namespace ivl::testing {

class WatchedBackend final : public Backend {
 public:
  explicit WatchedBackend(std::shared_ptr<Backend> inner) : inner_(std::move(inner)) {}

  // Runs in the next call of this name. What it throws, the call throws.
  void in_next(const char* call, std::function<void()> hook) {
    hooked_ = call;
    hook_ = std::move(hook);
  }
  // Sees what each call of route() found.
  std::function<void(const Matrix& routes)> on_routes;
  // May change what each call of sample() gives.
  std::function<void(std::vector<Sampled>& sampled)> on_sampled;
  // What intruders called.
  std::vector<std::string> intruders() const {
    const std::lock_guard<std::mutex> lock(watch_->mutex);
    return watch_->intruders;
  }
  // Buffers that are not freed.
  int64_t buffers() const {
    const std::lock_guard<std::mutex> lock(watch_->mutex);
    return watch_->buffers;
  }

  std::string description() const override { return "watched " + inner_->description(); }
  DType activation_type() const override { return inner_->activation_type(); }
  int64_t row_stride(int64_t cols, DType type) const override { return inner_->row_stride(cols, type); }

  Buffer allocate(size_t bytes) override {
    const Call call(*this, "allocate");
    Buffer memory = inner_->allocate(bytes);
    if (memory.data() == nullptr) return memory;
    void* data = memory.data();
    const std::lock_guard<std::mutex> lock(watch_->mutex);
    ++watch_->buffers;
    return {data, bytes, &release, new Allocated{watch_, std::move(memory)}};
  }
  void to_host(float* out, const Matrix& in) override {
    const Call call(*this, "to_host");
    inner_->to_host(out, in);
  }
  void from_host(const Matrix& out, const float* in) override {
    const Call call(*this, "from_host");
    inner_->from_host(out, in);
  }
  void copy(const Matrix& out, const Matrix& in) override {
    const Call call(*this, "copy");
    inner_->copy(out, in);
  }
  void copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) override {
    const Call call(*this, "copy_block");
    inner_->copy_block(out, in, shape, tokens);
  }
  void repeat(const std::function<void()>& pass) override {
    const Call call(*this, "repeat");
    inner_->repeat(pass);
  }

  std::unique_ptr<VectorWeights> vector(const HostTensor& source, DType as) override {
    const Call call(*this, "vector");
    return inner_->vector(source, as);
  }
  std::unique_ptr<LinearWeights> linear(const LinearSource& source, DType as) override {
    const Call call(*this, "linear");
    return inner_->linear(source, as);
  }
  std::unique_ptr<TableWeights> table(const HostTensor& source, DType as) override {
    const Call call(*this, "table");
    return inner_->table(source, as);
  }
  std::unique_ptr<ExpertWeights> experts(int64_t count, const std::function<ExpertSource(int64_t)>& source, DType as) override {
    const Call call(*this, "experts");
    return inner_->experts(count, source, as);
  }
  std::unique_ptr<AdapterWeights> adapter(const AdapterSource& source) override {
    const Call call(*this, "adapter");
    return inner_->adapter(source);
  }
  void finish_weights() override { inner_->finish_weights(); }

  void norm(const Output& out, const Matrix& in, const NormWeights& weights) override {
    const Call call(*this, "norm");
    inner_->norm(out, in, weights);
  }
  void matmul(const Output& out, const LayerInput& in, const Epilogue& epilogue) override {
    const Call call(*this, "matmul");
    inner_->matmul(out, in, epilogue);
  }
  void patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights, const PatchGeometry& geometry) override {
    const Call call(*this, "patch_embed");
    inner_->patch_embed(out, pixels, weights, geometry);
  }
  void add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                               const Matrix& positions, int64_t pictures) override {
    const Call call(*this, "add_class_and_positions");
    inner_->add_class_and_positions(out, patches, class_embedding, positions, pictures);
  }
  void vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) override {
    const Call call(*this, "vision_attention");
    inner_->vision_attention(out, qkv, pictures, heads, head_dim);
  }
  void pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor, bool swap_back) override {
    const Call call(*this, "pixel_shuffle");
    inner_->pixel_shuffle(out, in, pictures, grid, factor, swap_back);
  }
  void embed(const Matrix& out, const TableWeights& table, std::span<const int32_t> ids, std::span<const Splice> splices) override {
    const Call call(*this, "embed");
    inner_->embed(out, table, ids, splices);
  }
  void project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope, std::span<const Span> spans,
                   int64_t heads, const KvShape& shape, int64_t layer) override {
    const Call call(*this, "project_qkv");
    inner_->project_qkv(qkv, in, norms, rope, spans, heads, shape, layer);
  }
  void cached_attention(const Output& out, const Matrix& qkv, std::span<const Span> spans, int64_t heads, const KvShape& shape,
                        int64_t layer) override {
    const Call call(*this, "cached_attention");
    inner_->cached_attention(out, qkv, spans, heads, shape, layer);
  }
  void route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) override {
    const Call call(*this, "route");
    inner_->route(routes, in, router, normalizes);
    if (on_routes) on_routes(routes);
  }
  void mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& experts) override {
    const Call call(*this, "mix_experts");
    inner_->mix_experts(x, in, routes, experts);
  }
  void gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) override {
    const Call call(*this, "gather_rows");
    inner_->gather_rows(out, in, rows);
  }
  std::vector<Sampled> sample(const Matrix& logits, std::span<const Draw> draws) override {
    const Call call(*this, "sample");
    std::vector<Sampled> sampled = inner_->sample(logits, draws);
    if (on_sampled) on_sampled(sampled);
    return sampled;
  }

 private:
  struct Watch {
    std::mutex mutex;
    std::thread::id owner;
    int depth = 0;  // calls of the owner, one in another
    int64_t buffers = 0;
    std::vector<std::string> intruders;
  };
  struct Allocated {
    std::shared_ptr<Watch> watch;
    Buffer memory;
  };

  // A call, for as long as it runs.
  class Inside {
   public:
    Inside(Watch& watch, const char* call) : watch_(watch) {
      const std::lock_guard<std::mutex> lock(watch_.mutex);
      intrudes_ = watch_.depth > 0 && watch_.owner != std::this_thread::get_id();
      if (intrudes_) {
        watch_.intruders.push_back(call);
      } else {
        watch_.owner = std::this_thread::get_id();
        ++watch_.depth;
      }
    }
    ~Inside() {
      const std::lock_guard<std::mutex> lock(watch_.mutex);
      if (!intrudes_) --watch_.depth;
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Watch& watch_;
    bool intrudes_;
  };

  struct Call {
    Call(WatchedBackend& backend, const char* name) : inside(*backend.watch_, name) {
      if (backend.hook_ && backend.hooked_ == name) std::exchange(backend.hook_, nullptr)();
    }
    Inside inside;
  };

  static void release(void* context, void*, size_t) noexcept {
    const std::unique_ptr<Allocated> allocated(static_cast<Allocated*>(context));
    const Inside inside(*allocated->watch, "free");
    allocated->memory = Buffer();
    const std::lock_guard<std::mutex> lock(allocated->watch->mutex);
    --allocated->watch->buffers;
  }

  std::shared_ptr<Backend> inner_;
  std::shared_ptr<Watch> watch_ = std::make_shared<Watch>();
  std::string hooked_;
  std::function<void()> hook_;
};

}  // namespace ivl::testing
