#include "model/memory_plans.h"

#include <algorithm>

#include "model/decoder.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr int64_t kContextStep = 256;

// The largest number in [low, high] that `fits`, as all below it do.
template <class Fits>
std::optional<int64_t> largest(int64_t low, int64_t high, const Fits& fits) {
  if (low > high || !fits(low)) return std::nullopt;
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace

MemoryPlans::MemoryPlans(const Checkpoint* checkpoint, const ModelConfig& config, const Precision& precision, int64_t max_batch,
                         bool mapped, int64_t kv_memory)
    : checkpoint_(checkpoint), config_(config), asked_{precision, config.language.context, max_batch, kv_memory}, mapped_(mapped) {
  const KvShape kv = Decoder::kv_shape(config.language, config.language.layers, precision.kv_type());
  const auto block = static_cast<int64_t>(kv.block_bytes());
  if (kv_memory != 0 && kv_memory < block) {
    fail(Status::InvalidArgument, cat("kv_memory is ", kv_memory, " bytes, expected 0 or at least the ", block, " of ", kKvBlock,
                                      " tokens' keys and values"));
  }
}

MemoryPlan MemoryPlans::plan(Place place, const Settings& settings) const {
  ModelConfig config = config_;
  config.language.context = settings.context;
  const Precision& precision = settings.precision;
  const MemoryPlan one = place == Place::Gpus     ? plan_gpu_memory(config, precision)
                         : checkpoint_ == nullptr ? plan_memory(config, precision)
                                                  : plan_memory(*checkpoint_, config, precision, mapped_);
  MemoryPlan all = for_batch(one, config, std::max<int64_t>(1, settings.max_batch));
  if (settings.kv_memory > 0) {
    all.kv_cache = settings.kv_memory;
    all.kv_cache_batch = 0;
  }
  return all;
}

MemoryPlan MemoryPlans::fitting(Place place, int64_t limit) const {
  Settings settings = asked_;
  if (asked_.max_batch == 0) {
    settings.max_batch = kMostUnasked + 1;
    settings = with_smaller_batch(place, limit, settings).value_or(asked_);
  }
  return plan(place, settings);
}

bool MemoryPlans::fits(Place place, int64_t limit, const Settings& settings) const {
  return plan(place, settings).total() <= limit;
}

std::optional<MemoryPlans::Settings> MemoryPlans::with_smaller_batch(Place place, int64_t limit, Settings settings) const {
  const auto fits_with = [&](int64_t batch) {
    settings.max_batch = batch;
    return fits(place, limit, settings);
  };
  const std::optional<int64_t> batch = largest(1, settings.max_batch - 1, fits_with);
  if (!batch) return std::nullopt;
  settings.max_batch = *batch;
  return settings;
}

// With the same batch, or else without one.
std::optional<MemoryPlans::Settings> MemoryPlans::with_shorter_context(Place place, int64_t limit, Settings settings) const {
  // Room for two pictures and a few words, or a shorter context helps nobody.
  const int64_t least = (2 * config_.tokens_per_image() + kContextStep) / kContextStep + 1;
  const auto fits_with = [&](int64_t steps) {
    settings.context = steps * kContextStep;
    return fits(place, limit, settings);
  };
  const int64_t most = (settings.context - 1) / kContextStep;
  for (const int64_t batch : {settings.max_batch, int64_t{1}}) {
    settings.max_batch = batch;
    if (const std::optional<int64_t> steps = largest(least, most, fits_with)) {
      settings.context = *steps * kContextStep;
      return settings;
    }
  }
  return std::nullopt;
}

std::optional<MemoryPlans::Settings> MemoryPlans::in_formats(WeightFormat decoder, WeightFormat vision) const {
  const auto can_be = [](WeightFormat now, WeightFormat then) { return now == WeightFormat::Plain || now == then; };
  const WeightFormats& asked = asked_.precision.formats;
  if (asked.vision != WeightFormat::Plain) vision = asked.vision;
  if (!can_be(asked.decoder, decoder) || (asked.decoder == decoder && asked.vision == vision)) return std::nullopt;
  Settings settings = asked_;
  if (settings.precision.type == DType::F32) settings.precision.type = DType::BF16;
  settings.precision.formats = {decoder, WeightFormat::Int8, vision};
  return settings;
}

// The first format that fits, with the least of other changes.
std::optional<MemoryPlans::Settings> MemoryPlans::quantized(Place place, int64_t limit) const {
  for (const WeightFormat decoder : {WeightFormat::Int8, WeightFormat::Int4}) {
    for (const WeightFormat vision : {WeightFormat::Plain, WeightFormat::Int8}) {
      const std::optional<Settings> settings = in_formats(decoder, vision);
      if (!settings) continue;
      if (fits(place, limit, *settings)) return settings;
      if (const auto smaller = with_smaller_batch(place, limit, *settings)) return smaller;
      if (const auto shorter = with_shorter_context(place, limit, *settings)) return shorter;
    }
  }
  return std::nullopt;
}

std::string MemoryPlans::text(const Settings& settings) const {
  std::string all;
  const auto add = [&](const std::string& change) { all += (all.empty() ? "" : " and ") + change; };
  const WeightFormats &formats = settings.precision.formats, &asked = asked_.precision.formats;
  if (formats.decoder != asked.decoder) add(cat("in precision ", name_of(formats.decoder)));
  if (formats.vision != asked.vision) {
    add(cat("with the vision tower in ", name_of(formats.vision), formats.vision == formats.decoder ? " too" : ""));
  }
  if (settings.context != asked_.context) add(cat("with a context length of ", settings.context));
  if (settings.max_batch != asked_.max_batch) {
    add(settings.max_batch == 1 ? "with one request at a time" : cat("with batches of ", settings.max_batch));
  }
  return all;
}

std::string MemoryPlans::advice(Place place, int64_t limit) const {
  const MemoryPlan asked = at(place);
  if (asked.total() <= limit) return "";
  std::string all;
  const auto add = [&](const std::optional<Settings>& settings) {
    if (settings) all += (all.empty() ? "it fits " : ", or ") + text(*settings);
  };
  add(with_smaller_batch(place, limit, asked_));
  add(with_shorter_context(place, limit, asked_));
  add(quantized(place, limit));
  if (all.empty()) all = "no smaller setting makes it fit";
  // What is mapped may be dropped and read again.
  if (place == Place::Host && asked.weights_mapped > 0 && asked.total() - asked.weights_mapped <= limit) {
    all += cat("; with a memory limit of ", asked.total(),
               " bytes (or -1: none) it runs as it is, but slowly: the weights that "
               "memory cannot hold are read from the disk again for every token");
  }
  return all;
}

void MemoryPlans::require_fit(Place place, int64_t limit) const {
  const MemoryPlan asked = at(place);
  if (asked.total() > limit) ivl::require_fit(asked, limit, advice(place, limit));
}

}  // namespace ivl
