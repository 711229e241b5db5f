#include "backend/kernel_benchmark.h"

#include <random>

#include <nlohmann/json.hpp>

namespace ivl {
namespace {

using nlohmann::json;

constexpr int64_t kMostRows = int64_t{1} << 24;  // of any dimension
constexpr int64_t kMostElements = int64_t{1} << 31;

int64_t size_in(const json& spec, const char* name, int64_t least = 1) {
  const auto found = spec.find(name);
  if (found == spec.end() || !found->is_number_integer() || found->get<int64_t>() < least ||
      found->get<int64_t>() > kMostRows) {
    fail(Status::InvalidArgument, cat("benchmark spec: ", name, " must be an integer from ", least, " to ", kMostRows));
  }
  return found->get<int64_t>();
}

std::string word_in(const json& spec, const char* name, const char* otherwise) {
  const auto found = spec.find(name);
  return found != spec.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

DType type_in(const json& spec) {
  const std::string name = word_in(spec, "dtype", "f32");
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    if (name == name_of(type)) return type;
  }
  fail(Status::InvalidArgument, cat("benchmark spec: dtype is ", name, ", expected f32, bf16 or f16"));
}

KvType cache_type_in(const json& spec) {
  return word_in(spec, "dtype", "") == "int8" ? KvType::Int8 : kv_type_of(type_in(spec));
}

Buffer random_matrix(Backend& backend, int64_t rows, int64_t cols, DType type, uint32_t seed) {
  if (rows > kMostElements / cols) fail(Status::InvalidArgument, "benchmark spec: the shape is too large");
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<size_t>(rows * cols));
  for (float& value : values) value = uniform(random);
  Buffer buffer = backend.allocate(values.size() * size_of(type));
  backend.from_host(buffer.matrix(type, rows, cols), values.data());
  return buffer;
}

class MatMul : public KernelBenchmark {
 public:
  MatMul(std::shared_ptr<Backend> backend, const json& spec)
      : backend_(std::move(backend)), m_(size_in(spec, "m")), n_(size_in(spec, "n")), k_(size_in(spec, "k")) {
    const bool int8 = word_in(spec, "dtype", "") == "int8";
    const DType type = int8 ? DType::BF16 : type_in(spec);
    const DType activation = backend_->activation_type();
    in_ = random_matrix(*backend_, m_, k_, activation, 1);
    out_ = backend_->allocate(static_cast<size_t>(m_ * n_) * size_of(activation));
    host_ = random_matrix(*backend_, n_, k_, type, 2);
    weights_ = backend_->linear({{{host_.data(), type, {n_, k_}}}, {}, int8}, type);
    operations_ = 2.0 * static_cast<double>(m_) * static_cast<double>(n_) * static_cast<double>(k_);
    bytes_ = static_cast<double>(n_ * k_) * (int8 ? 1.0 : static_cast<double>(size_of(type))) +
             static_cast<double>(m_ * (n_ + k_)) * static_cast<double>(size_of(activation));
  }
  void run() override {
    const DType activation = backend_->activation_type();
    backend_->matmul(out_.matrix(activation, m_, n_), in_.matrix(activation, m_, k_), *weights_, {});
  }

 private:
  std::shared_ptr<Backend> backend_;
  int64_t m_, n_, k_;
  Buffer in_, out_, host_;
  std::unique_ptr<LinearWeights> weights_;
};

class VisionAttention : public KernelBenchmark {
 public:
  VisionAttention(std::shared_ptr<Backend> backend, const json& spec)
      : backend_(std::move(backend)),
        tokens_(size_in(spec, "tokens")),
        heads_(size_in(spec, "heads")),
        head_dim_(size_in(spec, "head_dim")) {
    const DType activation = backend_->activation_type();
    const int64_t width = heads_ * head_dim_;
    qkv_ = random_matrix(*backend_, tokens_, 3 * width, activation, 1);
    out_ = backend_->allocate(static_cast<size_t>(tokens_ * width) * size_of(activation));
    operations_ = 4.0 * static_cast<double>(tokens_) * static_cast<double>(tokens_) * static_cast<double>(width);
    bytes_ = 4.0 * static_cast<double>(tokens_ * width) * static_cast<double>(size_of(activation));
  }
  void run() override {
    const DType activation = backend_->activation_type();
    const int64_t width = heads_ * head_dim_;
    backend_->vision_attention(out_.matrix(activation, tokens_, width), qkv_.matrix(activation, tokens_, 3 * width), 1,
                               heads_, head_dim_);
  }

 private:
  std::shared_ptr<Backend> backend_;
  int64_t tokens_, heads_, head_dim_;
  Buffer qkv_, out_;
};

class CachedAttention : public KernelBenchmark {
 public:
  CachedAttention(std::shared_ptr<Backend> backend, const json& spec)
      : backend_(std::move(backend)),
        rows_(size_in(spec, "rows")),
        past_(size_in(spec, "past", 0)),
        heads_(size_in(spec, "heads")),
        shape_{1, size_in(spec, "kv_heads"), size_in(spec, "head_dim"), cache_type_in(spec)} {
    if (heads_ % shape_.kv_heads != 0) fail(Status::InvalidArgument, "benchmark spec: kv_heads must divide heads");
    const DType activation = backend_->activation_type();
    const int64_t tokens = past_ + rows_;
    qkv_ = random_matrix(*backend_, rows_, width(), activation, 1);
    out_ = backend_->allocate(static_cast<size_t>(rows_ * heads_ * shape_.head_dim) * size_of(activation));
    // In int8 any bytes will do for numbers, and two bf16 are an f32 for a scale.
    const auto halves = static_cast<int64_t>(shape_.row_bytes() + shape_.scale_bytes()) / 2;
    cache_.memory = shape_.type == KvType::Int8
                        ? random_matrix(*backend_, 2 * shape_.kv_heads * tokens, halves, DType::BF16, 2)
                        : random_matrix(*backend_, 2 * shape_.kv_heads * tokens, shape_.head_dim, float_type_of(shape_.type), 2);
    cache_.capacity = tokens;
    const double seen = static_cast<double>(rows_) * (static_cast<double>(past_) + static_cast<double>(rows_ + 1) / 2);
    operations_ = 4.0 * seen * static_cast<double>(heads_ * shape_.head_dim);
    bytes_ = static_cast<double>(shape_.bytes_per_token()) * static_cast<double>(tokens) +
             2.0 * static_cast<double>(rows_ * heads_ * shape_.head_dim) * static_cast<double>(size_of(activation));
  }
  void run() override {
    const DType activation = backend_->activation_type();
    const Span span{0, rows_, past_, &cache_};
    backend_->cached_attention(out_.matrix(activation, rows_, heads_ * shape_.head_dim),
                               qkv_.matrix(activation, rows_, width()), {&span, 1}, heads_, shape_, 0);
  }

 private:
  int64_t width() const { return (heads_ + 2 * shape_.kv_heads) * shape_.head_dim; }

  std::shared_ptr<Backend> backend_;
  int64_t rows_, past_, heads_;
  KvShape shape_;
  Buffer qkv_, out_;
  KvCache cache_;
};

}  // namespace

std::unique_ptr<KernelBenchmark> make_benchmark(std::shared_ptr<Backend> backend, const std::string& text) {
  const json spec = json::parse(text, nullptr, false);
  if (!spec.is_object()) fail(Status::InvalidArgument, "benchmark spec: expected a JSON object");
  const std::string op = word_in(spec, "op", "");
  if (op == "matmul") return std::make_unique<MatMul>(std::move(backend), spec);
  if (op == "vision_attention") return std::make_unique<VisionAttention>(std::move(backend), spec);
  if (op == "cached_attention") return std::make_unique<CachedAttention>(std::move(backend), spec);
  fail(Status::InvalidArgument, cat("benchmark spec: op is \"", op, "\", expected matmul, vision_attention or cached_attention"));
}

}  // namespace ivl
