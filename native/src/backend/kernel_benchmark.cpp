#include "backend/kernel_benchmark.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <nlohmann/json.hpp>

#include "backend/gpus.h"
#include "host/host_memory.h"

namespace ivl {
namespace {

using nlohmann::json;

constexpr int64_t kMostRows = int64_t{1} << 24;  // of any dimension
constexpr int64_t kMostElements = int64_t{1} << 31;
constexpr int64_t kMostCopies = 64;
// Drawn numbers repeat from there on: drawing the weights of a large layer takes longer than measuring it.
constexpr size_t kDrawn = (size_t{1} << 20) - 3;  // a multiple of no layer's width, so that rows differ

int64_t size_in(const json& spec, const char* name, int64_t least = 1, int64_t most = kMostRows) {
  const auto found = spec.find(name);
  if (found == spec.end() || !found->is_number_integer() || found->get<int64_t>() < least || found->get<int64_t>() > most) {
    fail(Status::InvalidArgument, cat("benchmark spec: ", name, " must be an integer from ", least, " to ", most));
  }
  return found->get<int64_t>();
}

std::string word_in(const json& spec, const char* name, const char* otherwise) {
  const auto found = spec.find(name);
  return found != spec.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

bool int8_in(const json& spec) { return word_in(spec, "dtype", "") == "int8"; }
bool quantized_in(const json& spec) { return int8_in(spec) || word_in(spec, "dtype", "") == "int4"; }
WeightFormat format_in(const json& spec) {
  return int8_in(spec) ? WeightFormat::Int8 : quantized_in(spec) ? WeightFormat::Int4 : WeightFormat::Plain;
}

// Of weights and caches before they are quantized.
DType type_in(const json& spec) {
  if (quantized_in(spec)) return DType::BF16;
  const std::string name = word_in(spec, "dtype", "f32");
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    if (name == name_of(type)) return type;
  }
  fail(Status::InvalidArgument, cat("benchmark spec: dtype is ", name, ", expected f32, bf16, f16 or, of a matmul, int8 or int4"));
}

// A model with other weights than bf16 refuses them, too.
bool bf16_activations_in(const json& spec) {
  const auto found = spec.find("bf16_activations");
  if (found == spec.end()) return false;
  if (!found->is_boolean()) fail(Status::InvalidArgument, "benchmark spec: bf16_activations must be true or false");
  if (found->get<bool>() && (int8_in(spec) || type_in(spec) != DType::BF16)) {
    fail(Status::InvalidArgument, "benchmark spec: bf16_activations go with dtype bf16");
  }
  return found->get<bool>();
}

// Kernels of 16-bit activations move eight numbers at a time.
int64_t width_in(const json& spec, const char* name, const Backend& backend) {
  const int64_t width = size_in(spec, name);
  if (backend.activation_type() != DType::F32 && width % 8 != 0) {
    fail(Status::InvalidArgument, cat("benchmark spec: ", name, " is ", width, ", expected a multiple of 8 on a GPU"));
  }
  return width;
}

int64_t head_dim_in(const json& spec, const Backend& backend) {
  const int64_t dim = size_in(spec, "head_dim");
  if (backend.activation_type() == DType::F32) return dim;
  const std::string reason = why_gpus_cannot({{{"benchmark spec: head_dim", dim}}, {}, 1, {"", 1}, {"", 1}, {"", 1}});
  if (!reason.empty()) fail(Status::InvalidArgument, reason);
  return dim;
}

KvType cache_type_in(const json& spec, const Backend& backend) {
  if (!int8_in(spec)) return kv_type_of(type_in(spec));
  if (backend.activation_type() != DType::F32) {
    fail(Status::InvalidArgument, "benchmark spec: dtype of a cache is int8, expected bf16 or f16 on a GPU");
  }
  return KvType::Int8;
}

void require_fits(int64_t rows, int64_t cols) {
  if (rows > kMostElements / cols) fail(Status::InvalidArgument, "benchmark spec: the shape is too large");
}

Buffer random_on_host(int64_t rows, int64_t cols, DType type, uint32_t seed, float spread = 1) {
  require_fits(rows, cols);
  const auto count = static_cast<size_t>(rows * cols);
  Buffer buffer = allocate_host(count * size_of(type));
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-spread, spread);
  const size_t drawn = std::min(count, kDrawn);
  for (size_t i = 0; i < drawn; ++i) store_f32(buffer.data(), type, i, uniform(random));
  auto* bytes = static_cast<char*>(buffer.data());
  for (size_t at = drawn; at < count; at += drawn) {
    std::memcpy(bytes + at * size_of(type), bytes, std::min(drawn, count - at) * size_of(type));
  }
  return buffer;
}

double as_double(int64_t value) { return static_cast<double>(value); }

class MatMul : public KernelBenchmark {
 public:
  MatMul(std::shared_ptr<Backend> backend, const json& spec)
      : KernelBenchmark(std::move(backend)), m_(size_in(spec, "m")), n_(size_in(spec, "n")), k_(width_in(spec, "k", *backend_)) {
    const DType type = type_in(spec);
    const WeightFormat format = format_in(spec);
    out_type_ = word_in(spec, "out", "") == "f32" ? DType::F32 : activation();
    if (out_type_ != DType::F32) width_in(spec, "n", *backend_);
    require_fits(m_, n_);
    in_ = random_input(m_, k_);
    out_ = space_.matrix(kOut, m_, n_, out_type_);
    host_ = random_on_host(n_, k_, type, 2);
    const int64_t copies = spec.contains("copies") ? size_in(spec, "copies", 1, kMostCopies) : 1;
    for (int64_t i = 0; i < copies; ++i) {
      weights_.push_back(backend_->linear({{{host_.data(), type, {n_, k_}}}, {}, format}, type));
    }
    backend_->finish_weights();
    operands_ = {{in_}, {host_.matrix(type, n_, k_), true}, {out_}};
    operations_ = 2.0 * as_double(m_) * as_double(n_) * as_double(k_);
    const int64_t weights = format == WeightFormat::Int8 ? n_ * k_ : weight_bytes(format, type, n_, k_);
    bytes_ = as_double(weights) + as_double(m_ * k_) * as_double(size_of(activation())) +
             as_double(m_ * n_) * as_double(size_of(out_type_));
  }

 private:
  void run() override {
    turn_ = (turn_ + 1) % weights_.size();
    backend_->matmul(out_, {in_, *weights_[turn_]}, {});
  }

  int64_t m_, n_, k_;
  DType out_type_ = DType::F32;
  Matrix in_, out_;
  Buffer host_;
  std::vector<std::unique_ptr<LinearWeights>> weights_;
  size_t turn_ = 0;
};

class PatchEmbed : public KernelBenchmark {
 public:
  PatchEmbed(std::shared_ptr<Backend> backend, const json& spec)
      : KernelBenchmark(std::move(backend)),
        geometry_{size_in(spec, "images"), size_in(spec, "channels"), size_in(spec, "image_size"), size_in(spec, "patch")},
        n_(width_in(spec, "n", *backend_)) {
    if (geometry_.image_size % geometry_.patch != 0) fail(Status::InvalidArgument, "benchmark spec: patch must divide image_size");
    require_fits(geometry_.channels, geometry_.image_size * geometry_.image_size);
    const DType type = type_in(spec);
    const int64_t pixels = geometry_.channels * geometry_.image_size * geometry_.image_size;
    const int64_t inputs = geometry_.channels * geometry_.patch * geometry_.patch;
    rows_ = geometry_.pictures * geometry_.grid() * geometry_.grid();
    pixels_ = random_input(geometry_.pictures, pixels);
    out_ = space_.matrix(kOut, rows_, n_);
    host_ = random_on_host(n_, inputs, type, 2);
    weights_ = backend_->linear({{{host_.data(), type, {n_, inputs}}}, {}}, type);
    backend_->finish_weights();
    operands_ = {{pixels_}, {host_.matrix(type, n_, inputs), true}, {out_}};
    operations_ = 2.0 * as_double(rows_) * as_double(n_) * as_double(inputs);
    bytes_ = as_double(n_ * inputs) * as_double(size_of(type)) +
             as_double(geometry_.pictures * pixels + rows_ * n_) * as_double(size_of(activation()));
  }

 private:
  void run() override { backend_->patch_embed(out_, pixels_, *weights_, geometry_); }

  PatchGeometry geometry_;
  int64_t n_;
  int64_t rows_ = 0;
  Matrix pixels_, out_;
  Buffer host_;
  std::unique_ptr<LinearWeights> weights_;
};

class VisionAttention : public KernelBenchmark {
 public:
  VisionAttention(std::shared_ptr<Backend> backend, const json& spec)
      : KernelBenchmark(std::move(backend)),
        tokens_(size_in(spec, "tokens")),
        heads_(size_in(spec, "heads")),
        head_dim_(head_dim_in(spec, *backend_)) {
    const int64_t width = heads_ * head_dim_;
    qkv_ = random_input(tokens_, 3 * width);
    out_ = space_.matrix(kOut, tokens_, width);
    operands_ = {{qkv_}, {out_}};
    operations_ = 4.0 * as_double(tokens_) * as_double(tokens_) * as_double(width);
    bytes_ = 4.0 * as_double(tokens_ * width) * as_double(size_of(activation()));
  }

 private:
  void run() override { backend_->vision_attention(out_, qkv_, 1, heads_, head_dim_); }

  int64_t tokens_, heads_, head_dim_;
  Matrix qkv_, out_;
};

class CachedAttention : public KernelBenchmark {
 public:
  CachedAttention(std::shared_ptr<Backend> backend, const json& spec)
      : KernelBenchmark(std::move(backend)),
        rows_(size_in(spec, "rows")),
        past_(size_in(spec, "past", 0)),
        heads_(size_in(spec, "heads")),
        shape_{1, size_in(spec, "kv_heads"), head_dim_in(spec, *backend_), cache_type_in(spec, *backend_)} {
    if (heads_ % shape_.kv_heads != 0) fail(Status::InvalidArgument, "benchmark spec: kv_heads must divide heads");
    const int64_t tokens = past_ + rows_;
    qkv_ = random_input(rows_, (heads_ + 2 * shape_.kv_heads) * shape_.head_dim);
    out_ = space_.matrix(kOut, rows_, out_width());
    fill_cache(blocks_for(tokens));
    operands_.push_back({qkv_});
    if (shape_.type != KvType::Int8) {
      const DType type = float_type_of(shape_.type);
      operands_.push_back({cache_.matrix(type, blocks_for(tokens) * 2 * shape_.kv_heads * kKvBlock, shape_.head_dim)});
    }
    operands_.push_back({out_});
    const double seen = as_double(rows_) * (as_double(past_) + as_double(rows_ + 1) / 2);
    operations_ = 4.0 * seen * as_double(out_width());
    bytes_ = as_double(static_cast<int64_t>(shape_.bytes_per_token()) * tokens) +
             2.0 * as_double(rows_ * out_width()) * as_double(size_of(activation()));
  }

 private:
  void run() override {
    const Span span{0, rows_, past_, blocks_};
    backend_->cached_attention(out_, qkv_, {&span, 1}, heads_, shape_, 0);
  }
  void fill_cache(int64_t blocks) {
    fill(blocks * 2 * shape_.kv_heads * kKvBlock);
    for (int64_t i = 0; i < blocks; ++i) {
      blocks_.push_back(static_cast<char*>(cache_.data()) + static_cast<size_t>(i) * shape_.block_bytes());
    }
  }
  void fill(int64_t rows) {
    if (shape_.type != KvType::Int8) {
      cache_ = random_matrix(rows, shape_.head_dim, float_type_of(shape_.type), 2);
      return;
    }
    // Any bytes will do for numbers, and two bf16 are an f32 for a scale. Keys much larger than usual would make softmax weights
    // denormal, which are slow.
    const auto halves = static_cast<int64_t>(shape_.row_bytes() + shape_.scale_bytes()) / 2;
    cache_ = random_matrix(rows, halves, DType::BF16, 2, 1.0f / 127);
  }
  int64_t out_width() const { return heads_ * shape_.head_dim; }

  int64_t rows_, past_, heads_;
  KvShape shape_;
  Matrix qkv_, out_;
  Buffer cache_;
  std::vector<void*> blocks_;  // of it
};

}  // namespace

double KernelBenchmark::time(int64_t runs) {
  if (runs < 1) fail(Status::InvalidArgument, cat("the number of runs is ", runs, ", expected at least 1"));
  return backend_->timed([&] {
    for (int64_t i = 0; i < runs; ++i) run();
  });
}

void KernelBenchmark::copy_operand(size_t index, float* out) {
  const Operand& operand = operands_.at(index);
  const Matrix& m = operand.matrix;
  if (!operand.on_host) return backend_->to_host(out, m);
  const auto count = static_cast<size_t>(m.rows * m.cols);
  for (size_t i = 0; i < count; ++i) out[i] = load_f32(m.data, m.dtype, i);
}

Matrix KernelBenchmark::random_input(int64_t rows, int64_t cols) {
  const Buffer values = random_on_host(rows, cols, DType::F32, 1);
  const Matrix input = space_.matrix(kIn, rows, cols);
  backend_->from_host(input, static_cast<const float*>(values.data()));
  return input;
}

Buffer KernelBenchmark::random_matrix(int64_t rows, int64_t cols, DType type, uint32_t seed, float spread) {
  const Buffer values = random_on_host(rows, cols, DType::F32, seed, spread);
  Buffer buffer = backend_->allocate(static_cast<size_t>(rows * cols) * size_of(type));
  backend_->from_host(buffer.matrix(type, rows, cols), static_cast<const float*>(values.data()));
  return buffer;
}

std::unique_ptr<KernelBenchmark> make_benchmark(const BackendOf& backend_of, const std::string& text) {
  const json spec = json::parse(text, nullptr, false);
  if (!spec.is_object()) fail(Status::InvalidArgument, "benchmark spec: expected a JSON object");
  const std::string op = word_in(spec, "op", "");
  const auto backend = [&] { return backend_of(word_in(spec, "device", "cpu"), type_in(spec), bf16_activations_in(spec)); };
  if (op == "matmul") return std::make_unique<MatMul>(backend(), spec);
  if (op == "patch_embed") return std::make_unique<PatchEmbed>(backend(), spec);
  if (op == "vision_attention") return std::make_unique<VisionAttention>(backend(), spec);
  if (op == "cached_attention") return std::make_unique<CachedAttention>(backend(), spec);
  fail(Status::InvalidArgument,
       cat("benchmark spec: op is \"", op, "\", expected matmul, patch_embed, vision_attention or cached_attention"));
}

}  // namespace ivl
