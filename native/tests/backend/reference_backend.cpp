#include "backend/reference_backend.h"

#include "backend/int4_weights.h"
#include "backend/int8.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace ivl::testing {
namespace {

struct Vector final : VectorWeights {
  std::vector<double> values;
};
struct Linear final : LinearWeights {
  std::vector<double> weight;  // (out, in)
  std::vector<double> bias;    // (out), zeros if there is none
  bool int8 = false;
};
struct Table final : TableWeights {
  std::vector<double> values;
};

struct Pairs final : AdapterWeights {
  AdapterSource source;
};

struct AllExperts final : ExpertWeights {
  std::vector<std::unique_ptr<LinearWeights>> gate_up, down;
};

size_t elements(const HostTensor& tensor) {
  size_t size = 1;
  for (const int64_t dim : tensor.shape) size *= static_cast<size_t>(dim);
  return size;
}

std::vector<double> values_of(const HostTensor& tensor, DType as) {
  std::vector<double> values(elements(tensor));
  for (size_t i = 0; i < values.size(); ++i) values[i] = rounded_to(as, load_f32(tensor.data, tensor.dtype, i));
  return values;
}

// Each weight by itself, as backend/int4.h says.
std::vector<double> int4_values(const HostTensor& tensor, DType as) {
  ThreadPool pool(1);
  const Int4Weights weights = int4_weights(tensor, as, row_codec(), pool);
  std::vector<double> values;
  for (int64_t row = 0; row < weights.count; ++row) {
    for (int64_t i = 0; i < weights.rows.inputs; ++i) values.push_back(rounded_to(as, int4_weight(weights.rows, row, i)));
  }
  return values;
}

// backend/int8.h: each value as the multiple of the scale that stands for it, the first outliers as they are. Which multiple is
// decided in f32, as every backend does.
void quantize(double* row, int64_t n, bool outliers_apart) {
  std::vector<bool> apart(static_cast<size_t>(n));
  int listed = 0;
  float largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float magnitude = std::fabs(static_cast<float>(row[i]));
    apart[static_cast<size_t>(i)] = outliers_apart && !(magnitude < kInt8Outlier) && listed < kMostOutliers;
    if (apart[static_cast<size_t>(i)]) {
      ++listed;
    } else {
      largest = std::max(largest, magnitude);
    }
  }
  const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
  for (int64_t i = 0; i < n; ++i) {
    if (apart[static_cast<size_t>(i)]) continue;
    row[i] = static_cast<double>(std::nearbyint(static_cast<float>(row[i]) * inverse)) * static_cast<double>(largest / 127.0f);
  }
}

size_t index_of(const Matrix& m, int64_t row, int64_t col) { return static_cast<size_t>(row * m.stride + col); }
double at(const Matrix& m, int64_t row, int64_t col) { return load_f32(m.data, m.dtype, index_of(m, row, col)); }
void put(const Matrix& m, int64_t row, int64_t col, double value) {
  store_f32(m.data, m.dtype, index_of(m, row, col), static_cast<float>(value));
}

double activate(double x, Activation activation) {
  return activation == Activation::Gelu ? 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))) : x;
}
double silu(double x) { return x / (1 + std::exp(-x)); }

// The keys (part 0) or values (part 1) of a layer's head in a block of a cache.
class CachedHead {
 public:
  CachedHead(void* block, const KvShape& s, int64_t layer, int64_t part, int64_t head)
      : shape_(s),
        rows_(static_cast<char*>(block) + s.head_offset(layer, part, head)),
        scales_(rows_ + static_cast<size_t>(kKvBlock) * s.row_bytes()) {}
  double at(int64_t token, int64_t i) const {
    const char* row = row_of(token);
    if (shape_.type != KvType::Int8) return load_f32(row, float_type_of(shape_.type), static_cast<size_t>(i));
    return static_cast<double>(static_cast<signed char>(row[i])) * load_f32(scales_, DType::F32, static_cast<size_t>(token));
  }
  void put(int64_t token, std::vector<double> x) const {
    if (shape_.type == KvType::Int8) return put_int8(token, x);
    for (size_t i = 0; i < x.size(); ++i) store_f32(row_of(token), float_type_of(shape_.type), i, static_cast<float>(x[i]));
  }

 private:
  char* row_of(int64_t token) const { return rows_ + static_cast<size_t>(token) * shape_.row_bytes(); }
  // Which multiple of the scale stands for a number is decided in f32, as every backend does.
  void put_int8(int64_t token, const std::vector<double>& x) const {
    float largest = 0;
    for (const double value : x) largest = std::max(largest, std::fabs(static_cast<float>(value)));
    const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
    store_f32(scales_, DType::F32, static_cast<size_t>(token), largest / 127.0f);
    for (size_t i = 0; i < x.size(); ++i) {
      row_of(token)[i] = static_cast<char>(std::nearbyint(static_cast<float>(x[i]) * inverse));
    }
  }

  KvShape shape_;
  char* rows_;
  char* scales_;
};

// out[i] = softmax over t of (q . key(t) * scale), times value(t).
template <class Key, class Value, class Out>
void attend(const std::vector<double>& q, int64_t tokens, const Key& key, const Value& value, const Out& out) {
  const auto dim = static_cast<int64_t>(q.size());
  std::vector<double> scores(static_cast<size_t>(tokens));
  for (int64_t t = 0; t < tokens; ++t) {
    double dot = 0;
    for (int64_t i = 0; i < dim; ++i) dot += q[static_cast<size_t>(i)] * key(t, i);
    scores[static_cast<size_t>(t)] = dot / std::sqrt(static_cast<double>(dim));
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - largest);
  for (int64_t i = 0; i < dim; ++i) {
    double sum = 0;
    for (int64_t t = 0; t < tokens; ++t) sum += scores[static_cast<size_t>(t)] * value(t, i);
    out(i, sum / total);
  }
}

std::vector<double> row_part(const Matrix& m, int64_t row, int64_t first, int64_t count) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(at(m, row, first + i));
  return values;
}

}  // namespace

Buffer ReferenceBackend::allocate(size_t bytes) {
  return {std::calloc(1, std::max<size_t>(1, bytes)), bytes, [](void*, void* data, size_t) noexcept { std::free(data); }, nullptr};
}

void ReferenceBackend::to_host(float* out, const Matrix& in) {
  for (int64_t r = 0; r < in.rows; ++r) {
    for (int64_t c = 0; c < in.cols; ++c) out[r * in.cols + c] = static_cast<float>(at(in, r, c));
  }
}

void ReferenceBackend::from_host(const Matrix& out, const float* in) {
  for (int64_t r = 0; r < out.rows; ++r) {
    for (int64_t c = 0; c < out.cols; ++c) put(out, r, c, in[r * out.cols + c]);
  }
}

void ReferenceBackend::copy(const Matrix& out, const Matrix& in) {
  for (int64_t r = 0; r < in.rows; ++r) {
    for (int64_t c = 0; c < in.cols; ++c) put(out, r, c, at(in, r, c));
  }
}

void ReferenceBackend::copy_block(void* out, const void* in, const KvShape& s, int64_t tokens) {
  const auto* from = static_cast<const char*>(in);
  auto* to = static_cast<char*>(out);
  for (int64_t head = 0; head < 2 * s.layers * s.kv_heads; ++head, from += s.head_bytes(), to += s.head_bytes()) {
    const size_t scales = static_cast<size_t>(kKvBlock) * s.row_bytes();
    for (size_t t = 0; t < static_cast<size_t>(tokens); ++t) {
      std::memcpy(to + t * s.row_bytes(), from + t * s.row_bytes(), s.row_bytes());
      std::memcpy(to + scales + t * s.scale_bytes(), from + scales + t * s.scale_bytes(), s.scale_bytes());
    }
  }
}

std::unique_ptr<VectorWeights> ReferenceBackend::vector(const HostTensor& source, DType as) {
  auto weights = std::make_unique<Vector>();
  weights->values = values_of(source, as);
  weights->size = static_cast<int64_t>(weights->values.size());
  return weights;
}

std::unique_ptr<LinearWeights> ReferenceBackend::linear(const LinearSource& source, DType as) {
  auto weights = std::make_unique<Linear>();
  weights->int8 = source.format == WeightFormat::Int8;
  for (size_t i = 0; i < source.weights.size(); ++i) {
    const HostTensor& part = source.weights[i];
    std::vector<double> values = source.format == WeightFormat::Int4 ? int4_values(part, as) : values_of(part, as);
    for (int64_t row = 0; weights->int8 && row < part.shape[0]; ++row) {
      quantize(values.data() + row * part.shape[1], part.shape[1], false);
    }
    weights->weight.insert(weights->weight.end(), values.begin(), values.end());
    weights->in_features = part.shape[1];
    weights->out_features += part.shape[0];
    if (source.biases.empty()) {
      weights->bias.resize(static_cast<size_t>(weights->out_features), 0.0);
    } else {
      const std::vector<double> bias = values_of(source.biases[i], as);
      weights->bias.insert(weights->bias.end(), bias.begin(), bias.end());
    }
  }
  return weights;
}

std::unique_ptr<TableWeights> ReferenceBackend::table(const HostTensor& source, DType as) {
  auto weights = std::make_unique<Table>();
  weights->values = values_of(source, as);
  weights->rows = source.shape[0];
  weights->cols = source.shape[1];
  return weights;
}

std::unique_ptr<ExpertWeights> ReferenceBackend::experts(int64_t count, const std::function<ExpertSource(int64_t)>& source,
                                                         DType as) {
  auto weights = std::make_unique<AllExperts>();
  weights->count = count;
  for (int64_t e = 0; e < count; ++e) {
    const ExpertSource expert = source(e);
    weights->gate_up.push_back(linear(expert.gate_up, as));
    weights->down.push_back(linear(expert.down, as));
  }
  weights->in_features = weights->gate_up[0]->in_features;
  weights->width = weights->down[0]->in_features;
  return weights;
}

std::unique_ptr<AdapterWeights> ReferenceBackend::adapter(const AdapterSource& source) {
  auto weights = std::make_unique<Pairs>();
  weights->source = source;
  return weights;
}

void ReferenceBackend::norm(const Output& to, const Matrix& in, const NormWeights& weights) {
  const Matrix& out = to.rows;
  const auto& weight = static_cast<const Vector&>(*weights.weight).values;
  const auto n = static_cast<double>(in.cols);
  for (int64_t r = 0; r < in.rows; ++r) {
    const std::vector<double> x = row_part(in, r, 0, in.cols);
    double mean = 0;
    if (weights.kind == NormKind::LayerNorm) {
      for (const double v : x) mean += v / n;
    }
    double variance = 0;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    for (int64_t c = 0; c < in.cols; ++c) {
      const auto i = static_cast<size_t>(c);
      double y = (x[i] - mean) / std::sqrt(variance + static_cast<double>(weights.eps)) * weight[i];
      if (weights.bias != nullptr) y += static_cast<const Vector&>(*weights.bias).values[i];
      put(out, r, c, y);
    }
  }
}

namespace {

// What adapters add to the columns of row r, whose input is x.
std::vector<double> added_to(const LayerInput& from, int64_t r, const std::vector<double>& x) {
  std::vector<double> added(static_cast<size_t>(from.layer.out_features), 0.0);
  for (const AdaptedRows& rows : from.adapted) {
    if (r < rows.row || r >= rows.row + rows.rows) continue;
    const AdapterSource& source = static_cast<const Pairs&>(*rows.adapter).source;
    int64_t first = 0;
    for (const AdapterSource::Up& up : source.ups) {
      const int64_t end = first + up.rows;
      if (up.down >= 0) {
        const AdapterSource::Down& down = source.downs[static_cast<size_t>(up.down)];
        const int64_t rank = down.weight.shape[0];
        for (int64_t i = 0; i < rank; ++i) {
          double u = 0;
          for (size_t k = 0; k < x.size(); ++k) {
            u += x[k] * static_cast<double>(load_f32(down.weight.data, down.weight.dtype, static_cast<size_t>(i) * x.size() + k));
          }
          u *= static_cast<double>(down.scale) * static_cast<double>(rows.weight);
          for (int64_t c = first; c < end; ++c) {
            const auto at = static_cast<size_t>((c - first) * rank + i);
            added[static_cast<size_t>(c)] += u * static_cast<double>(load_f32(up.weight.data, up.weight.dtype, at));
          }
        }
      }
      first = end;
    }
  }
  return added;
}

}  // namespace

void ReferenceBackend::matmul(const Output& to, const LayerInput& from, const Epilogue& epilogue) {
  const Matrix &out = to.rows, &in = from.rows;
  const auto& weights = static_cast<const Linear&>(from.layer);
  std::vector<double> x, added;  // of one row
  const auto product = [&](int64_t col) {
    double sum = weights.bias[static_cast<size_t>(col)] + added[static_cast<size_t>(col)];
    for (int64_t k = 0; k < in.cols; ++k) {
      sum += x[static_cast<size_t>(k)] * weights.weight[static_cast<size_t>(col * in.cols + k)];
    }
    return sum;
  };
  for (int64_t r = 0; r < out.rows; ++r) {
    x = row_part(in, r, 0, in.cols);
    added = added_to(from, r, x);
    if (weights.int8) quantize(x.data(), in.cols, true);
    for (int64_t c = 0; c < out.cols; ++c) {
      double y = epilogue.activation == Activation::SwiGlu ? silu(product(c)) * product(c + out.cols)
                                                           : activate(product(c), epilogue.activation);
      if (epilogue.scale != nullptr) y *= static_cast<const Vector*>(epilogue.scale)->values[static_cast<size_t>(c)];
      if (epilogue.residual != nullptr) y += at(*epilogue.residual, r, c);
      put(out, r, c, y);
    }
  }
}

void ReferenceBackend::patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& opaque, const PatchGeometry& g) {
  const auto& weights = static_cast<const Linear&>(opaque);
  for (int64_t row = 0; row < out.rows; ++row) {
    const int64_t picture = row / (g.grid() * g.grid());
    const int64_t y = row / g.grid() % g.grid() * g.patch;
    const int64_t x = row % g.grid() * g.patch;
    for (int64_t o = 0; o < out.cols; ++o) {
      double sum = weights.bias[static_cast<size_t>(o)];
      for (int64_t c = 0; c < g.channels; ++c) {
        for (int64_t dy = 0; dy < g.patch; ++dy) {
          for (int64_t dx = 0; dx < g.patch; ++dx) {
            const auto w = static_cast<size_t>(((o * g.channels + c) * g.patch + dy) * g.patch + dx);
            sum += weights.weight[w] * at(pixels, picture, (c * g.image_size + y + dy) * g.image_size + x + dx);
          }
        }
      }
      put(out, row, o, sum);
    }
  }
}

void ReferenceBackend::add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& opaque,
                                               const Matrix& positions, int64_t pictures) {
  const auto& class_embedding = static_cast<const Vector&>(opaque).values;
  const int64_t tokens = positions.rows;
  for (int64_t picture = 0; picture < pictures; ++picture) {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t c = 0; c < out.cols; ++c) {
        const double x = t == 0 ? class_embedding[static_cast<size_t>(c)] : at(patches, picture * (tokens - 1) + t - 1, c);
        put(out, picture * tokens + t, c, x + at(positions, t, c));
      }
    }
  }
}

void ReferenceBackend::vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) {
  const int64_t tokens = qkv.rows / pictures;
  const int64_t width = heads * head_dim;
  for (int64_t row = 0; row < qkv.rows; ++row) {
    const int64_t first = row / tokens * tokens;
    for (int64_t h = 0; h < heads; ++h) {
      attend(
          row_part(qkv, row, h * head_dim, head_dim), tokens,
          [&](int64_t t, int64_t i) { return at(qkv, first + t, width + h * head_dim + i); },
          [&](int64_t t, int64_t i) { return at(qkv, first + t, 2 * width + h * head_dim + i); },
          [&](int64_t i, double y) { put(out, row, h * head_dim + i, y); });
    }
  }
}

// Written as the original's views and permutes read, on (w, h, c) with w the first axis.
void ReferenceBackend::pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                                     bool swap_back) {
  const int64_t side = grid / factor;
  const int64_t c = in.cols;
  for (int64_t p = 0; p < pictures; ++p) {
    for (int64_t w = 0; w < grid; ++w) {
      for (int64_t h = 0; h < grid; ++h) {
        for (int64_t i = 0; i < c; ++i) {
          // view (w, h/f, f*c), permute to (h/f, w, f*c), view (h/f, w/f, f*f*c)
          const int64_t channel = (w % factor) * factor * c + (h % factor) * c + i;
          const int64_t first = swap_back ? w / factor : h / factor;
          const int64_t second = swap_back ? h / factor : w / factor;
          put(out, (p * side + first) * side + second, channel, at(in, p * (grid * grid + 1) + 1 + w * grid + h, i));
        }
      }
    }
  }
}

void ReferenceBackend::embed(const Matrix& out, const TableWeights& opaque, std::span<const int32_t> ids,
                             std::span<const Splice> splices) {
  const auto& table = static_cast<const Table&>(opaque);
  for (int64_t r = 0; r < out.rows; ++r) {
    for (int64_t c = 0; c < out.cols; ++c) {
      put(out, r, c, table.values[static_cast<size_t>(ids[static_cast<size_t>(r)] * table.cols + c)]);
    }
  }
  for (const Splice& splice : splices) copy(out.row_range(splice.row, splice.features.rows), splice.features);
}

void ReferenceBackend::project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope,
                                   std::span<const Span> spans, int64_t heads, const KvShape& shape, int64_t layer) {
  matmul(qkv, in, {});
  rope_and_store(qkv, rope, spans, heads, shape, layer, norms);
}

void ReferenceBackend::rope_and_store(const Matrix& qkv, const Matrix& rope, std::span<const Span> spans, int64_t heads,
                                      const KvShape& s, int64_t layer, const HeadNorms& norms) {
  const int64_t half = s.head_dim / 2;
  for (int64_t h = 0; norms.q != nullptr && h < heads + s.kv_heads; ++h) {
    const Matrix head = qkv.col_range(h * s.head_dim, s.head_dim);
    norm(head, head, h < heads ? *norms.q : *norms.k);
  }
  for (const Span& span : spans) {
    for (int64_t r = 0; r < span.rows; ++r) {
      const int64_t row = span.row + r;
      const int64_t position = span.past + r, turn = span.rope_begin + position;
      for (int64_t h = 0; h < heads + s.kv_heads; ++h) {
        const std::vector<double> x = row_part(qkv, row, h * s.head_dim, s.head_dim);
        for (int64_t i = 0; i < s.head_dim; ++i) {
          const double partner = i < half ? -x[static_cast<size_t>(i + half)] : x[static_cast<size_t>(i - half)];
          put(qkv, row, h * s.head_dim + i,
              x[static_cast<size_t>(i)] * at(rope, turn, i % half) + partner * at(rope, turn, half + i % half));
        }
      }
      for (int64_t part = 0; part < 2; ++part) {
        for (int64_t h = 0; h < s.kv_heads; ++h) {
          CachedHead(span.blocks[static_cast<size_t>(position / kKvBlock)], s, layer, part, h)
              .put(position % kKvBlock, row_part(qkv, row, (heads + part * s.kv_heads + h) * s.head_dim, s.head_dim));
        }
      }
    }
  }
}

void ReferenceBackend::cached_attention(const Output& to, const Matrix& qkv, std::span<const Span> spans, int64_t heads,
                                        const KvShape& s, int64_t layer) {
  const Matrix& out = to.rows;
  for (const Span& span : spans) {
    for (int64_t r = 0; r < span.rows; ++r) {
      for (int64_t h = 0; h < heads; ++h) {
        const int64_t kv = h / (heads / s.kv_heads);
        const auto cached = [&](int64_t part, int64_t t, int64_t i) {
          return CachedHead(span.blocks[static_cast<size_t>(t / kKvBlock)], s, layer, part, kv).at(t % kKvBlock, i);
        };
        attend(
            row_part(qkv, span.row + r, h * s.head_dim, s.head_dim), span.past + r + 1,
            [&](int64_t t, int64_t i) { return cached(0, t, i); }, [&](int64_t t, int64_t i) { return cached(1, t, i); },
            [&](int64_t i, double y) { put(out, span.row + r, h * s.head_dim + i, y); });
      }
    }
  }
}

void ReferenceBackend::route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) {
  const int64_t count = router.out_features, k = routes.cols / 2;
  std::vector<float> z(static_cast<size_t>(count));
  for (int64_t r = 0; r < in.rows; ++r) {
    matmul(Matrix{z.data(), DType::F32, 1, count, count}, {in.row_range(r, 1), router}, {});
    std::vector<float> p;
    double sum = 0;
    for (const float logit : z) sum += std::exp(static_cast<double>(logit - *std::max_element(z.begin(), z.end())));
    for (const float logit : z) {
      p.push_back(static_cast<float>(std::exp(static_cast<double>(logit - *std::max_element(z.begin(), z.end()))) / sum));
    }
    std::vector<size_t> order(p.size());
    for (size_t e = 0; e < order.size(); ++e) order[e] = e;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    order.resize(static_cast<size_t>(k));
    double chosen = 0;
    for (const size_t e : order) chosen += static_cast<double>(p[e]);
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < k; ++i) {
      const size_t e = order[static_cast<size_t>(i)];
      put(routes, r, i, static_cast<double>(e));
      put(routes, r, k + i, normalizes ? static_cast<double>(p[e]) / chosen : static_cast<double>(p[e]));
    }
  }
}

void ReferenceBackend::mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& opaque) {
  const auto& all = static_cast<const AllExperts&>(opaque);
  const int64_t k = routes.cols / 2;
  const Buffer inner_memory = allocate(static_cast<size_t>(all.width) * sizeof(float));
  const Buffer out_memory = allocate(static_cast<size_t>(x.cols) * sizeof(float));
  const Matrix inner = inner_memory.matrix(DType::F32, 1, all.width), out = out_memory.matrix(DType::F32, 1, x.cols);
  for (int64_t r = 0; r < x.rows; ++r) {
    std::vector<double> sum(static_cast<size_t>(x.cols));
    for (int64_t i = 0; i < k; ++i) {
      const auto e = static_cast<size_t>(at(routes, r, i));
      matmul(inner, {in.row_range(r, 1), *all.gate_up[e]}, {Activation::SwiGlu, nullptr, nullptr});
      matmul(out, {inner, *all.down[e]}, {});
      for (int64_t c = 0; c < x.cols; ++c) sum[static_cast<size_t>(c)] += at(routes, r, k + i) * at(out, 0, c);
    }
    for (int64_t c = 0; c < x.cols; ++c) put(x, r, c, at(x, r, c) + sum[static_cast<size_t>(c)]);
  }
}

void ReferenceBackend::gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) {
  for (int64_t r = 0; r < out.rows; ++r) copy(out.row_range(r, 1), in.row_range(rows[static_cast<size_t>(r)], 1));
}

// Plain as it is.
std::vector<Sampled> ReferenceBackend::sample(const Matrix& logits, std::span<const Draw> draws) {
  std::vector<Sampled> sampled;
  for (int64_t r = 0; r < logits.rows; ++r) {
    const auto* row = static_cast<const float*>(logits.row_range(r, 1).data);
    const std::span<const float> values(row, static_cast<size_t>(logits.cols));
    sampled.push_back(sampled_or_failure([&] { return ivl::sample(values, draws[static_cast<size_t>(r)]); }));
  }
  return sampled;
}

}  // namespace ivl::testing
