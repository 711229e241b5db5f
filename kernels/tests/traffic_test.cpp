// What the kernels' accesses cost: sectors of global memory and wavefronts of shared memory beside the fewest that the same
// bytes could take, and the bytes beside those that the launcher says, for every instance of every kernel, with the size of its
// launch. At layers' sizes a kernel that misses these misses the bandwidth. The figures are kept in traffic.txt, where a change
// shows as a diff; it is written anew with IVL_UPDATE_GOLDENS=1. scripts/check-kernels takes the launches from there.
#include <cstdlib>
#include <functional>

#include "adapters.h"
#include "attention.h"
#include "emulation/counters.h"
#include "expert_gemm.h"
#include "experts.h"
#include "gemm.h"
#include "head_norm.h"
#include "int8.h"
#include "norm.h"
#include "rows.h"
#include "sampling.h"
#include "tests/digests.h"
#include "tests/kernel_names.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

constexpr const char* kGolden = IVL_KERNELS "/tests/traffic.txt";
// Which accesses a place makes is the compiler's choice, too: figures of another one are held against the bars only.
const std::string kCompiler = std::string("# figures of ")
#if defined(__clang__)
                              + "clang++ " + std::to_string(__clang_major__);
#else
                              + "g++ " + std::to_string(__GNUC__);
#endif

std::string text_of(const simt::Count& count) { return std::to_string(count.actual) + " of " + std::to_string(count.ideal); }

// Beside what the launcher says (device/cost.h), from which scripts/roofline is made.
std::string text_of(const simt::Touched& touched, const gpu::Cost& said) {
  const auto beside = [](int64_t bytes, double of_launcher) {
    return std::to_string(bytes) + " (" + std::to_string(static_cast<int64_t>(of_launcher)) + ")";
  };
  return "bytes read " + beside(touched.read(), said.read) + ", written " + beside(touched.written(), said.written);
}

std::string text_of(const simt::Traffic& traffic) {
  return "sectors read " + text_of(traffic.read) + ", written " + text_of(traffic.written) + "; wavefronts " +
         text_of(traffic.wavefronts);
}

// Whether a launcher knows all that its kernels touch, or some of it depends on settings that only the device has.
enum class Says { All, TheLeast };

// Runs launches and keeps a line for each kernel in them.
class Recorder {
 public:
  // `launch` starts kernels, each of another name.
  void record(const std::string& shape, const std::function<cudaError_t()>& launch, Says says = Says::All) {
    std::vector<simt::LaunchRecord> launches;
    simt::record_launches(&launches);
    simt::options().counters = true;
    EXPECT_EQ(launch(), cudaSuccess) << shape;
    simt::options().counters = false;
    simt::record_launches(nullptr);
    EXPECT_EQ(reported(), "") << shape;
    const auto traffic = simt::take_traffic();
    EXPECT_EQ(traffic.size(), launches.size()) << shape;
    for (const simt::LaunchRecord& one : launches) {
      const simt::KernelTraffic& kernel = traffic.at(one.name);
      const std::string name = functions_.at(one.function) + " [" + shape + "]";
      lines_.push_back(name + ": " + std::to_string(one.shape.block.count()) + " threads, " +
                       std::to_string(one.shape.shared_bytes) + " bytes; " + text_of(kernel.sum) + "; " +
                       text_of(kernel.touched, one.cost));
      expect_bars(name, kernel);
      expect_cost(name, kernel.touched, one.cost, says);
    }
  }

  std::vector<std::string> sorted_lines() const {
    std::vector<std::string> lines = lines_;
    std::sort(lines.begin(), lines.end());
    lines.insert(lines.begin(), kCompiler);
    return lines;
  }

 private:
  // Sectors beside the ideal. What misses the tenth: an int8 product takes an outlier's weights from memory a byte at a time,
  // again for each of its results; that they come from the cache is not counted here. And where rows went is told one by one.
  static double bar_of(const std::string& name) {
    for (const char* scattering : {"int8_gemm_kernel", "sort_by_expert_kernel"}) {
      if (name.find(scattering) != std::string::npos) return 2.0;
    }
    return 1.1;
  }

  // Wavefronts beside the ideal: no bank conflict, but where a few threads exchange what they found behind the main loop.
  static double conflicts_of(const std::string& name) {
    for (const char* exchanging : {"int8_gemm_and_digest_kernel", "masses_kernel", "draw_kernel"}) {
      if (name.rfind(exchanging, 0) == 0) return 1.1;
    }
    return 1.0;
  }

  static void expect_bars(const std::string& name, const simt::KernelTraffic& traffic) {
    const simt::Traffic& sum = traffic.sum;
    const auto sectors = static_cast<double>(sum.read.actual + sum.written.actual);
    const auto ideal = static_cast<double>(sum.read.ideal + sum.written.ideal);
    const double wavefronts = conflicts_of(name) * static_cast<double>(sum.wavefronts.ideal);
    if (sectors <= bar_of(name) * ideal && static_cast<double>(sum.wavefronts.actual) <= wavefronts) {
      return;
    }
    std::string where;
    for (const auto& [pc, place] : traffic.places) {
      if (place.read.actual + place.written.actual > place.read.ideal + place.written.ideal ||
          place.wavefronts.actual > place.wavefronts.ideal) {
        where += "\n  " + simt::place_of(pc) + ": " + text_of(place);
      }
    }
    ADD_FAILURE() << name << ": " << text_of(sum) << where;
  }

  // The launcher says what the kernel touches, each byte once. What is small at a model's sizes it may leave out: scales and
  // headers of what is read, outliers of what is written.
  static void expect_cost(const std::string& name, const simt::Touched& touched, const gpu::Cost& cost, Says says) {
    const auto read = static_cast<double>(touched.read());
    const auto written = static_cast<double>(touched.written());
    EXPECT_GE(read, cost.read) << name;
    EXPECT_GE(written, cost.written) << name;
    if (says == Says::All) {
      EXPECT_LE(read, 1.1 * cost.read) << name;
      EXPECT_LE(written, 1.01 * cost.written) << name;
    }
  }

  std::map<const void*, std::string> functions_ = device_functions();
  std::vector<std::string> lines_;
};

// ---- one of each operation's launches ------------------------------------------------------------------------------

std::string name_of(gpu::Activation activation) {
  switch (activation) {
    case gpu::Activation::None: return "residual and scale";
    case gpu::Activation::Gelu: return "GELU";
    case gpu::Activation::SwiGlu: return "SwiGLU";
    case gpu::Activation::Rope: return "RoPE";
  }
  return "?";
}

// What an epilogue of each kind points to, for `columns` outputs of `rows` rows; RoPE makes queries, keys and values of three
// heads of them.
template <class T>
struct EpilogueOperands {
  static constexpr int kHeadDim = 128, kHeads = 2, kKvHeads = 1, kContext = 512;

  EpilogueOperands(gpu::Activation activation, int rows, int columns)
      : bias(random_values<T>(static_cast<size_t>(2 * columns), 3)),
        scale(random_values<T>(static_cast<size_t>(columns), 4)),
        out(random_values<T>(static_cast<size_t>(rows * 2 * columns), 5)),
        cache(random_values<T>(2 * kContext * kHeadDim, 6)),
        table(std::vector<float>(kContext * kHeadDim, 0.5f)),
        slots(slots_of(rows)) {
    epilogue.activation = activation;
    epilogue.bias = bias.data();
    epilogue.out = {out.data(), activation == gpu::Activation::Rope ? 2 * columns : columns};
    if (activation == gpu::Activation::None) {
      epilogue.scale = scale.data();
      epilogue.residual = {out.data(), columns};
    } else if (activation == gpu::Activation::Rope) {
      epilogue.rope = {slots.data(), table.data(), kHeads, kKvHeads, kHeadDim, 0};
    }
  }

  std::vector<gpu::CacheSlot<T>> slots_of(int rows) const {
    std::vector<gpu::CacheSlot<T>> result;
    for (int row = 0; row < rows; row++) {
      T* k = cache.data() + row * kHeadDim;
      result.push_back({k, k + kContext * kHeadDim, kContext * kHeadDim, 0, row});
    }
    return result;
  }

  const DeviceArray<T> bias, scale, out, cache;
  const DeviceArray<float> table;
  const DeviceArray<gpu::CacheSlot<T>> slots;
  gpu::Epilogue<T> epilogue;
};

constexpr gpu::Activation kActivations[] = {gpu::Activation::None, gpu::Activation::Gelu, gpu::Activation::SwiGlu,
                                            gpu::Activation::Rope};
// Outputs of a product: three heads of 128, in pairs where they are paired.
constexpr int kInputs = 1024, kOutputs = 192;
// Rows of a product: one tile of each height.
constexpr int kTileRows[] = {1, gpu::kFewRows, 64, 512};
// Many rows are narrower, for the emulation's sake.
int inputs_of(int rows) { return rows > gpu::kSomeRows ? kInputs / 8 : kInputs; }

std::string shape_of(int rows, gpu::Activation activation) {
  return std::to_string(rows) + " rows of " + std::to_string(inputs_of(rows)) + ", " + name_of(activation);
}

// Many rows have other kernels on other generations of GPUs.
void on_its_generations(int rows, const std::function<void()>& record) {
  if (rows > gpu::kSomeRows) {
    kernel_test::on_every_generation(record);
  } else {
    record();
  }
}

template <class T>
void products(Recorder& recorder) {
  for (const int rows : kTileRows) {
    const int inputs = inputs_of(rows);
    for (const gpu::Activation activation : kActivations) {
      const DeviceArray<T> in(random_values<T>(static_cast<size_t>(rows * inputs), 1));
      const DeviceArray<T> weight(random_values<T>(2 * kOutputs * inputs, 2));
      const EpilogueOperands<T> operands(activation, rows, kOutputs);
      gpu::Gemm<T> product;
      product.in = {in.data(), inputs};
      product.weight = weight.data();
      product.epilogue = operands.epilogue;
      product.rows = rows;
      product.in_features = inputs;
      product.out_features = kOutputs;
      on_its_generations(rows, [&] { recorder.record(shape_of(rows, activation), [&] { return gpu::gemm(product, nullptr); }); });
    }
  }
}

// With an outlier in every row, as in the published model.
template <class T>
void int8_products(Recorder& recorder) {
  for (const int rows : kTileRows) {
    const int inputs = inputs_of(rows);
    for (const gpu::Activation activation : kActivations) {
      std::vector<gpu::Outlier> outliers(static_cast<size_t>(rows * gpu::kMostOutliers));
      for (size_t row = 0; row < static_cast<size_t>(rows); row++) outliers[row * gpu::kMostOutliers] = {77, 8.0f};
      const DeviceArray<int8_t> in(std::vector<int8_t>(static_cast<size_t>(rows * inputs), 3));
      const DeviceArray<int8_t> weight(std::vector<int8_t>(2 * kOutputs * inputs, 2));
      const DeviceArray<float> in_scales(std::vector<float>(static_cast<size_t>(rows), 0.1f));
      const DeviceArray<float> weight_scales(std::vector<float>(2 * kOutputs, 0.1f));
      const DeviceArray<gpu::Outlier> in_outliers(outliers);
      const DeviceArray<int> counts(std::vector<int>(static_cast<size_t>(rows), 1));
      const EpilogueOperands<T> operands(activation, rows, kOutputs);
      gpu::Int8Gemm<T> product;
      product.in = {{in.data(), inputs}, in_scales.data(), in_outliers.data(), counts.data()};
      product.weights = {weight.data(), weight_scales.data(), inputs};
      product.epilogue = operands.epilogue;
      product.rows = rows;
      product.out_features = kOutputs;
      on_its_generations(rows,
                         [&] { recorder.record(shape_of(rows, activation), [&] { return gpu::int8_gemm(product, nullptr); }); });
    }
  }
}

// Seven query heads on one of keys and values: a token behind others, and a prompt behind a past; and a picture's tokens.
template <class T>
void attention(Recorder& recorder) {
  constexpr int kHeads = 7, kKeys = 320;
  for (const int d : gpu::kHeadDims) {
    for (const auto& [tokens, causal] : {std::pair{1, true}, {64, true}, {145, false}}) {
      const int keys = causal ? kKeys : tokens;
      const int width = kHeads * d;
      const DeviceArray<T> q(random_values<T>(static_cast<size_t>(tokens * width), 1));
      const DeviceArray<T> k(random_values<T>(static_cast<size_t>(keys * d), 2));
      const DeviceArray<T> v(random_values<T>(static_cast<size_t>(keys * d), 3));
      const DeviceArray<T> out(static_cast<size_t>(tokens * width));
      const gpu::AttentionShape shape{kHeads, 1, d, 0, causal, 0.1f};
      const DeviceArray<gpu::AttentionSpan<T>> spans(std::vector<gpu::AttentionSpan<T>>{
          {q.data(), out.data(), k.data(), v.data(), width, width, d, keys * d, 0, tokens, keys - tokens}});
      const DeviceArray<float> workspace(gpu::attention_workspace(shape, 1, keys));
      const std::string what = causal ? " behind " + std::to_string(keys - tokens) : " of a picture";
      recorder.record(std::to_string(tokens) + (tokens == 1 ? " token" : " tokens") + what,
                      [&, n = tokens] { return gpu::attention<T>(spans.data(), 1, shape, n, keys, workspace.data(), nullptr); });
    }
  }
}

constexpr int kRows = 5, kColumns = 3200;

template <class T>
void norms(Recorder& recorder) {
  const DeviceArray<T> in(random_values<T>(kRows * kColumns, 1));
  const DeviceArray<T> weight(random_values<T>(kColumns, 2)), bias(random_values<T>(kColumns, 3));
  const DeviceArray<T> out(kRows * kColumns);
  recorder.record("5 rows of 3200", [&] {
    return gpu::rms_norm<T>({out.data(), kColumns}, {in.data(), kColumns}, weight.data(), kRows, kColumns, 1e-6f, nullptr);
  });
  recorder.record("5 rows of 3200", [&] {
    return gpu::layer_norm<T>({out.data(), kColumns}, {in.data(), kColumns}, weight.data(), bias.data(), kRows, kColumns, 1e-6f,
                              nullptr);
  });
}

template <class T>
void quantization(Recorder& recorder) {
  std::vector<T> values = random_values<T>(kRows * kColumns, 1);
  for (size_t row = 0; row < kRows; row++) values[row * kColumns + 77] = gpu::from_float<T>(8.0f);
  const DeviceArray<T> in(values);
  const DeviceArray<int8_t> out(kRows * kColumns);
  const DeviceArray<float> scales(kRows);
  const DeviceArray<gpu::Outlier> outliers(kRows * gpu::kMostOutliers);
  const DeviceArray<int> counts(kRows);
  recorder.record("5 rows of 3200 with an outlier", [&] {
    return gpu::quantize_rows<T>({{out.data(), kColumns}, scales.data(), outliers.data(), counts.data()}, {in.data(), kColumns},
                                 kRows, kColumns, nullptr);
  });
  const gpu::QuantizedRows quantized{{out.data(), kColumns}, scales.data(), outliers.data(), counts.data()};
  const DeviceArray<T> weight(random_values<T>(kColumns, 2)), bias(random_values<T>(kColumns, 3));
  const DeviceArray<T> normed(kRows * kColumns);
  recorder.record("5 rows of 3200 with an outlier", [&] {
    return gpu::rms_norm<T>({normed.data(), kColumns}, {in.data(), kColumns}, weight.data(), kRows, kColumns, 1e-6f, nullptr,
                            &quantized);
  });
  recorder.record("5 rows of 3200 with an outlier", [&] {
    return gpu::layer_norm<T>({normed.data(), kColumns}, {in.data(), kColumns}, weight.data(), bias.data(), kRows, kColumns, 1e-6f,
                              nullptr, &quantized);
  });
}

// A step's products in int8 around rows that many blocks made: one leaves digests, the next quantizes what it loads.
template <class T>
void digested_products(Recorder& recorder) {
  for (const int rows : {1, 16}) {
    const auto values = random_values<T>(static_cast<size_t>(rows * kInputs), 1);
    const DeviceArray<T> in(values);
    const DeviceArray<gpu::Digest> in_digests(digests_of(values));
    const DeviceArray<int8_t> bytes(std::vector<int8_t>(static_cast<size_t>(rows * kInputs), 3));
    const DeviceArray<float> in_scales(std::vector<float>(static_cast<size_t>(rows), 0.1f));
    const DeviceArray<gpu::Outlier> outliers(std::vector<gpu::Outlier>(static_cast<size_t>(rows * gpu::kMostOutliers)));
    const DeviceArray<int> counts(std::vector<int>(static_cast<size_t>(rows), 0));
    const DeviceArray<int8_t> weight(std::vector<int8_t>(2 * kOutputs * kInputs, 2));
    const DeviceArray<float> weight_scales(std::vector<float>(2 * kOutputs, 0.1f));
    const DeviceArray<gpu::Digest> digests(static_cast<size_t>(rows * kOutputs / gpu::kDigestColumns));
    const EpilogueOperands<T> operands(gpu::Activation::SwiGlu, rows, kOutputs);
    gpu::Int8Gemm<T> first;
    first.in = {{bytes.data(), kInputs}, in_scales.data(), outliers.data(), counts.data()};
    first.weights = {weight.data(), weight_scales.data(), kInputs};
    first.epilogue = operands.epilogue;
    first.rows = rows;
    first.out_features = kOutputs;
    first.digests = digests.data();
    recorder.record(shape_of(rows, gpu::Activation::SwiGlu), [&] { return gpu::int8_gemm(first, nullptr); });
    gpu::QuantizingGemm<T> next;
    next.in = {in.data(), kInputs};
    next.digests = in_digests.data();
    next.weights = first.weights;
    const EpilogueOperands<T> plain(gpu::Activation::None, rows, kOutputs);
    next.epilogue = plain.epilogue;
    next.rows = rows;
    next.out_features = kOutputs;
    recorder.record(shape_of(rows, gpu::Activation::None), [&] { return gpu::quantizing_gemm(next, nullptr); });
  }
}

template <class T>
void rows(Recorder& recorder) {
  const DeviceArray<T> in(random_values<T>(kRows * kColumns, 1));
  const DeviceArray<T> out(kRows * kColumns);
  const DeviceArray<const T*> from(std::vector<const T*>{in.data() + 3 * kColumns, in.data() + kColumns, in.data()});
  recorder.record("3 rows of 3200", [&] { return gpu::gather_rows<T>({out.data(), kColumns}, from.data(), 3, kColumns, nullptr); });
  recorder.record("2 x 2 patches of 3200", [&] {
    return gpu::pixel_shuffle<T>({out.data(), 4 * kColumns}, {in.data(), kColumns}, 1, {2, 2, false}, kColumns, nullptr);
  });
  const DeviceArray<T> weight(random_values<T>(4 * kColumns, 3)), bias(random_values<T>(4 * kColumns, 4));
  recorder.record("2 x 2 patches of 3200", [&] {
    return gpu::pixel_shuffle_norm<T>({out.data(), 4 * kColumns}, {in.data(), kColumns}, weight.data(), bias.data(), 1,
                                      {2, 2, false}, kColumns, 1e-6f, nullptr);
  });
  const DeviceArray<T> embedding(random_values<T>(kColumns, 2)), positions(random_values<T>(kRows * kColumns, 3));
  recorder.record("5 tokens of 3200", [&] {
    return gpu::add_class_and_positions<T>({out.data(), kColumns}, {in.data(), kColumns}, embedding.data(),
                                           {positions.data(), kColumns}, 1, kRows, kColumns, nullptr);
  });
}

// A whole picture of the published model.
template <class T>
void patches(Recorder& recorder) {
  constexpr int kSide = 448, kPatch = 14, kChannels = 3, kPatches = 32 * 32, kWidth = 592;
  const DeviceArray<T> pixels(random_values<T>(kChannels * kSide * kSide, 1));
  const DeviceArray<T> out(kPatches * kWidth);
  recorder.record("448 x 448 pixels", [&] {
    return gpu::unfold_patches<T>({out.data(), kWidth}, {pixels.data(), kChannels * kSide * kSide}, 1, kChannels, kSide, kPatch,
                                  kWidth, nullptr);
  });
}

// The heads of Qwen3.
template <class T>
void head_norms(Recorder& recorder) {
  constexpr int kTokens = 4, kHeads = 16, kKvHeads = 8, kDim = 128, kAll = kHeads + 2 * kKvHeads;
  const DeviceArray<T> qkv(random_values<T>(kTokens * kAll * kDim, 1));
  const DeviceArray<T> q_weight(random_values<T>(kDim, 2)), k_weight(random_values<T>(kDim, 3));
  const DeviceArray<float> table(std::vector<float>(kTokens * kDim, 0.5f));
  const DeviceArray<T> cache(2 * kKvHeads * kTokens * kDim);
  std::vector<gpu::CacheSlot<T>> slots;
  for (int i = 0; i < kTokens; i++) {
    T* key = cache.data() + i * kDim;
    slots.push_back({key, key + kKvHeads * kTokens * kDim, kTokens * kDim, 0, i});
  }
  const DeviceArray<gpu::CacheSlot<T>> device_slots(slots);
  const gpu::RopeTarget<T> rope{device_slots.data(), table.data(), kHeads, kKvHeads, kDim, 0};
  recorder.record("4 rows of 16 and 8 heads of 128", [&] {
    return gpu::normalize_and_turn<T>({{qkv.data(), kAll * kDim}, q_weight.data(), k_weight.data(), 1e-6f, rope, kTokens}, nullptr);
  });
}

// A prompt's rows with an adapter that has three pairs of rank 16, and a single one.
template <class T>
void adapters(Recorder& recorder) {
  for (const int rows : {1, 64}) {
    constexpr int kPairs = 3, kRank = 16, kRanks = kPairs * kRank;
    const DeviceArray<T> in(random_values<T>(static_cast<size_t>(rows * kInputs), 1));
    const DeviceArray<T> down(random_values<T>(kRanks * kInputs, 2));
    const DeviceArray<float> scales(std::vector<float>(kRanks, 2.0f)), u(static_cast<size_t>(rows * kRanks));
    gpu::AddedRows<T> entry;
    entry.rows = rows;
    entry.down = down.data();
    entry.scales = scales.data();
    entry.weight = 1;
    entry.pairs = kPairs;
    entry.rank = kRank;
    const DeviceArray<gpu::AddedRows<T>> entries(std::vector<gpu::AddedRows<T>>{entry});
    const gpu::LowRank<T> work{{in.data(), kInputs}, {entries.data(), 1, u.data()}, rows, kRanks, kInputs};
    recorder.record(std::to_string(rows) + " rows of 1024 with three pairs of rank 16",
                    [&] { return gpu::low_rank(work, nullptr); });
  }
}

// Four rows that pass eight of 32 experts each.
template <class T>
void experts(Recorder& recorder) {
  constexpr int kTokens = 4, kExperts = 32, kChosen = 8, kSlots = kTokens * kChosen, kWidth = 512;
  const DeviceArray<float> logits(std::vector<float>(kTokens * kExperts, 0.5f));
  const DeviceArray<float> route_rows(kTokens * 2 * kChosen);
  const gpu::Routes routes{{route_rows.data(), 2 * kChosen}, kTokens, kExperts, kChosen};
  const DeviceArray<int> offsets(kExperts + 1), row_of(kSlots), slot_of(kSlots);
  const gpu::ExpertSlots places{offsets.data(), row_of.data(), slot_of.data()};
  const DeviceArray<T> in(random_values<T>(kTokens * kWidth, 1)), gathered(kSlots * kWidth);
  const DeviceArray<float> results(std::vector<float>(kSlots * kWidth, 0.25f));
  const std::string shape = "4 rows with 8 of 32";
  recorder.record(shape, [&] { return gpu::route<T>(routes, {logits.data(), kExperts}, true, nullptr); });
  EXPECT_EQ(gpu::sort_by_expert(places, routes, nullptr), cudaSuccess);
  recorder.record(shape, [&] {
    return gpu::gather_slots<T>({gathered.data(), kWidth}, {in.data(), kWidth}, row_of.data(), routes, kWidth, nullptr);
  });
  recorder.record(shape, [&] {
    return gpu::mix_slots<T>({in.data(), kWidth}, {results.data(), kWidth}, slot_of.data(), routes, kWidth, nullptr);
  });
}

void sorting(Recorder& recorder) {
  constexpr int kTokens = 40, kExperts = 9, kChosen = 8;
  std::vector<float> values;
  for (int row = 0; row < kTokens; row++) {
    for (int number = 0; number < kExperts; number++) {
      if (number != row % kExperts) values.push_back(static_cast<float>(number));
    }
    values.insert(values.end(), kChosen, 0.5f);
  }
  const DeviceArray<float> route_rows(values);
  const DeviceArray<int> offsets(kExperts + 1), row_of(kTokens * kChosen), slot_of(kTokens * kChosen);
  recorder.record("40 rows with 8 of 9", [&] {
    return gpu::sort_by_expert({offsets.data(), row_of.data(), slot_of.data()},
                               {{route_rows.data(), 2 * kChosen}, kTokens, kExperts, kChosen}, nullptr);
  });
}

// Two experts whose rows fill a tile each, of few rows and of some.
template <class T>
void expert_products(Recorder& recorder) {
  for (const int rows : {16, 64}) {
    const int inputs = inputs_of(rows);
    const DeviceArray<int> offsets(std::vector<int>{0, rows, 2 * rows});
    const gpu::ExpertRows of{offsets.data(), 2, rows};
    const auto count = static_cast<size_t>(2 * rows);
    const DeviceArray<T> in(random_values<T>(count * static_cast<size_t>(inputs), 1)),
        weight(random_values<T>(4 * kOutputs * static_cast<size_t>(inputs), 2));
    const DeviceArray<T> out(count * kOutputs);
    gpu::Gemm<T> product{{in.data(), inputs}, weight.data(), {}, 2 * rows, inputs, kOutputs};
    product.epilogue.activation = gpu::Activation::SwiGlu;
    product.epilogue.out = {out.data(), kOutputs};
    const std::string shape = "2 experts with " + shape_of(rows, gpu::Activation::SwiGlu);
    recorder.record(shape, [&] { return gpu::expert_gemm(product, of, nullptr); });
    const DeviceArray<int8_t> bytes(std::vector<int8_t>(count * static_cast<size_t>(inputs), 3));
    const DeviceArray<int8_t> weight_bytes(std::vector<int8_t>(4 * kOutputs * static_cast<size_t>(inputs), 2));
    const DeviceArray<float> scales(std::vector<float>(count, 0.1f)), weight_scales(std::vector<float>(4 * kOutputs, 0.1f));
    const DeviceArray<gpu::Outlier> outliers(std::vector<gpu::Outlier>(count * gpu::kMostOutliers));
    const DeviceArray<int> counts(std::vector<int>(count, 0));
    gpu::Int8Gemm<T> in_bytes;
    in_bytes.in = {{bytes.data(), inputs}, scales.data(), outliers.data(), counts.data()};
    in_bytes.weights = {weight_bytes.data(), weight_scales.data(), inputs};
    in_bytes.epilogue = product.epilogue;
    in_bytes.rows = 2 * rows;
    in_bytes.out_features = kOutputs;
    recorder.record(shape, [&] { return gpu::expert_int8_gemm(in_bytes, of, nullptr); });
  }
}

template <class T>
void every_kernel(Recorder& recorder) {
  products<T>(recorder);
  int8_products<T>(recorder);
  attention<T>(recorder);
  norms<T>(recorder);
  head_norms<T>(recorder);
  adapters<T>(recorder);
  experts<T>(recorder);
  expert_products<T>(recorder);
  quantization<T>(recorder);
  digested_products<T>(recorder);
  rows<T>(recorder);
  patches<T>(recorder);
}

void sampling(Recorder& recorder, const std::string& what, const gpu::SamplingRow& row, Says says) {
  constexpr int kVocabulary = 16384;
  std::vector<float> values(kVocabulary);
  for (int i = 0; i < kVocabulary; i++) values[static_cast<size_t>(i)] = static_cast<float>(i * 37 % 101) / 8;
  const DeviceArray<float> logits(values);
  const DeviceArray<gpu::SamplingRow> rows(std::vector<gpu::SamplingRow>{row});
  const DeviceArray<gpu::SampledRow> out(1);
  const DeviceArray<uint64_t> workspace(gpu::sampling_workspace(1, kVocabulary) / sizeof(uint64_t) + 1);
  gpu::Sampling sampling;
  sampling.logits = {logits.data(), kVocabulary};
  sampling.rows = rows.data();
  sampling.row_count = 1;
  sampling.vocabulary = kVocabulary;
  sampling.out = out.data();
  sampling.workspace = workspace.data();
  recorder.record(
      "one row of 16384, " + what, [&] { return gpu::sample(sampling, nullptr); }, says);
}

// A row without limits, and one of every setting at once.
void sampling(Recorder& recorder) {
  sampling(recorder, "greedy", {}, Says::All);
  gpu::SamplingRow limited;
  limited.temperature = 1;
  limited.top_k = 500;
  limited.top_p = 0.9f;
  sampling(recorder, "top-k and top-p", limited, Says::TheLeast);
}

// ---- against the file ----------------------------------------------------------------------------------------------

std::vector<std::string> lines_of(const char* path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void write(const std::vector<std::string>& lines) {
  std::ofstream file(kGolden);
  for (const std::string& line : lines) file << line << '\n';
  ASSERT_TRUE(file.flush()) << kGolden;
}

TEST(Traffic, IsWithinItsBarsAndAsRecorded) {
  Recorder recorder;
  every_kernel<gpu::bf16>(recorder);
  every_kernel<gpu::f16>(recorder);
  sorting(recorder);
  sampling(recorder);
  const std::vector<std::string> found = recorder.sorted_lines();
  if (std::getenv("IVL_UPDATE_GOLDENS") != nullptr) {
    write(found);
    return;
  }
  const std::vector<std::string> recorded = lines_of(kGolden);
  ASSERT_FALSE(recorded.empty());
  if (recorded[0] != kCompiler) {
    GTEST_SKIP() << "the bars hold; " << kGolden << " has other " << recorded[0].substr(2);
  }
  const std::set<std::string> before(recorded.begin(), recorded.end()), now(found.begin(), found.end());
  for (const std::string& line : before) EXPECT_TRUE(now.count(line) != 0) << "- " << line;
  for (const std::string& line : now) EXPECT_TRUE(before.count(line) != 0) << "+ " << line;
}

// A kernel that no launch above starts is missing from the file.
TEST(Traffic, IsRecordedForEveryKernel) {
  const std::set<std::string> kernels = kernels_of_sources(IVL_KERNELS);
  ASSERT_EQ(kernels.count(""), 0u) << "a __global__ whose name is not found";
  std::set<std::string> recorded;
  for (const std::string& line : lines_of(kGolden)) recorded.insert(line.substr(0, line.find(" [")));
  std::set<std::string> met;
  for (const auto& [address, instance] : device_functions()) {
    const std::string kernel = instance.substr(0, instance.find('<'));
    if (kernels.count(kernel) != 0) {
      met.insert(kernel);
      EXPECT_TRUE(recorded.count(instance) != 0) << instance << " has no line in " << kGolden;
    }
  }
  EXPECT_EQ(met, kernels);
}

}  // namespace
