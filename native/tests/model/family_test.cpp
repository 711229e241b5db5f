// The family differs in values only: every variant that a configuration can ask for, over random weights.
#include <gtest/gtest.h>

#include "backend/reference_backend.h"
#include "cpu/cpu_backend.h"
#include "model/model_loader.h"
#include "model/oracle.h"
#include "model/position_interpolation.h"
#include "model/tiny_model.h"
#include "model/work.h"

namespace ivl {
namespace {

using nlohmann::json;
using testing::tiny_config;

std::unique_ptr<InternVLChat> load(std::shared_ptr<Backend> backend, const json& config) {
  LoadOptions options;
  options.precision = DType::F32;
  return testing::load_random(std::move(backend), config, options);
}

std::vector<float> features(InternVLChat& model, int64_t pictures = 2) {
  const ModelConfig& config = model.config();
  const int64_t size = pictures * 3 * config.image_size * config.image_size;
  std::vector<float> pixels(static_cast<size_t>(size));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(static_cast<float>(i) * 0.37f);
  const std::atomic<bool> open{false};
  const Buffer out = model.encode(pixels.data(), pictures, nullptr, {open, nullptr});
  const int64_t rows = pictures * config.tokens_per_image();
  std::vector<float> host(static_cast<size_t>(rows * config.language.hidden));
  model.placement().vision->to_host(host.data(), out.matrix(DType::F32, rows, config.language.hidden));
  return host;
}

std::vector<float> logits(InternVLChat& model) {
  const std::vector<int32_t> ids{3, 1, 4, 1, 5, 9, 2, 6};
  const std::vector<int32_t> last{7};
  const Buffer block = model.placement().vision->allocate(model.kv_shapes().at(0).block_bytes());
  void* const blocks[] = {block.data()};
  const KvTable table(blocks);
  const SequenceSpan span{0, 8, 0, {&table, 1}};
  const std::atomic<bool> open{false};
  const Logits computed = model.decode({ids, {}, {&span, 1}, last}, nullptr, {open, nullptr});
  std::vector<float> out(static_cast<size_t>(model.config().language.vocab));
  computed.backend->to_host(out.data(), computed.matrix);
  return out;
}

struct Variant {
  const char* name;
  const char* part;  // "" for the top level
  const char* field;
  json value;
};

class Family : public ::testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(
    Variants, Family,
    ::testing::Values(
        Variant{"plain", "", "ps_version", "v1"}, Variant{"shuffle_v2", "", "ps_version", "v2"},
        Variant{"inner_layer", "", "select_layer", -2}, Variant{"other_grid", "", "force_image_size", 84},
        Variant{"no_downsampling", "", "downsample_ratio", 1.0}, Variant{"layer_norm", "vision_config", "norm_type", "layer_norm"},
        Variant{"qkv_bias", "vision_config", "qkv_bias", true}, Variant{"no_qk_norm", "vision_config", "qk_normalization", false},
        Variant{"one_kv_head", "llm_config", "num_key_value_heads", 1},
        Variant{"a_kv_head_each", "llm_config", "num_key_value_heads", 6},
        Variant{"attention_bias", "llm_config", "attention_bias", true},
        Variant{"tied_head", "llm_config", "tie_word_embeddings", true}, Variant{"head_dim_given", "llm_config", "head_dim", 16},
        Variant{"internlm2", "llm_config", "architectures", json::array({"InternLM2ForCausalLM"})},
        Variant{"phi3", "llm_config", "architectures", json::array({"Phi3ForCausalLM"})},
        Variant{"qwen2", "llm_config", "architectures", json::array({"Qwen2ForCausalLM"})},
        Variant{"qwen3", "llm_config", "architectures", json::array({"Qwen3ForCausalLM"})}),
    [](const auto& p) { return std::string(p.param.name); });

json tiny_experts_config() {
  json config = tiny_config();
  config["llm_config"].update({{"architectures", {"Qwen3MoeForCausalLM"}},
                               {"head_dim", 16},
                               {"num_experts", 12},
                               {"num_experts_per_tok", 3},
                               {"moe_intermediate_size", 24},
                               {"norm_topk_prob", true}});
  return config;
}

class ExpertsFamily : public ::testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(
    Variants, ExpertsFamily,
    ::testing::Values(Variant{"plain", "", "ps_version", "v1"}, Variant{"one_chosen", "", "num_experts_per_tok", 1},
                      Variant{"all_chosen", "", "num_experts_per_tok", 12}, Variant{"more", "", "num_experts", 40},
                      Variant{"narrow", "", "moe_intermediate_size", 5}, Variant{"not_normalized", "", "norm_topk_prob", false},
                      Variant{"every_second_layer", "", "decoder_sparse_step", 2},
                      Variant{"a_dense_layer", "", "mlp_only_layers", json::array({1})}),
    [](const auto& p) { return std::string(p.param.name); });

TEST_P(ExpertsFamily, TheCpuComputesWhatTheReferenceDoes) {
  json config = tiny_experts_config();
  const Variant& variant = GetParam();
  config["llm_config"][variant.field] = variant.value;
  const auto reference = load(std::make_shared<testing::ReferenceBackend>(), config);
  const auto cpu = load(std::make_shared<cpu::CpuBackend>(), config);
  EXPECT_LT(testing::relative_error(logits(*cpu), logits(*reference)), 1e-5);
  const auto plain = load(std::make_shared<cpu::CpuBackend>(), tiny_experts_config());
  EXPECT_EQ(logits(*plain) == logits(*cpu), std::string(variant.name) == "plain");
}

TEST_P(Family, TheCpuComputesWhatTheReferenceDoes) {
  json config = tiny_config();
  const Variant& variant = GetParam();
  (std::string(variant.part).empty() ? config : config[variant.part])[variant.field] = variant.value;
  const auto reference = load(std::make_shared<testing::ReferenceBackend>(), config);
  const auto cpu = load(std::make_shared<cpu::CpuBackend>(), config);
  EXPECT_LT(testing::relative_error(features(*cpu), features(*reference)), 1e-5);
  EXPECT_LT(testing::relative_error(logits(*cpu), logits(*reference)), 1e-5);
  if (std::string(variant.name) != "plain") {  // and the field is not ignored
    const auto plain = load(std::make_shared<cpu::CpuBackend>(), tiny_config());
    EXPECT_TRUE(features(*plain) != features(*cpu) || logits(*plain) != logits(*cpu));
  }
}

// A token passes three of twelve experts: of their weights it reads a quarter.
TEST(Work, CountsTheExpertsThatATokenPasses) {
  const ModelConfig config = parse_config(tiny_experts_config().dump());
  const Work work = count_work(config, 2, KvType::F32);
  const double attention = 48 * (96 + 32 + 32) + 96 * 48, experts = 3 * (3 * 24 * 48), router = 12 * 48, head = 90 * 48;
  EXPECT_EQ(work.weight_bytes, 2 * (2 * (attention + experts + router) + head));
  EXPECT_EQ(work.operations_per_token, 2 * (2 * (attention + experts + router) - (96 * 48 + experts + router)));
}

TEST(SelectLayer, AnInnerLayerIsTheModelCutBehindIt) {
  json inner = tiny_config();
  inner["select_layer"] = -2;
  json shorter = tiny_config();
  shorter["vision_config"]["num_hidden_layers"] = 1;
  const auto a = load(std::make_shared<cpu::CpuBackend>(), inner);
  const auto b = load(std::make_shared<cpu::CpuBackend>(), shorter);
  EXPECT_EQ(features(*a), features(*b));
}

TEST(PictureBatch, APicturesFeaturesAreTheSameBitsInAnyBatch) {
  const auto model = load(std::make_shared<cpu::CpuBackend>(), tiny_config());
  const std::vector<float> many = features(*model, 130);  // more than pass the tower together
  const std::vector<float> one = features(*model, 1);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), many.begin()));
}

// Expected values from PyTorch: x = torch.tensor([((i*7+3)%11)/10-0.4 for i in range(f*f)]).reshape(1,1,f,f);
// torch.nn.functional.interpolate(x, size=(t,t), mode='bicubic', align_corners=False)
TEST(PositionInterpolation, IsPyTorchs) {
  const auto input = [](int64_t from) {
    std::vector<float> x;
    for (int64_t i = 0; i < from * from; ++i) x.push_back(static_cast<float>((i * 7 + 3) % 11) / 10.0f - 0.4f);
    return x;
  };
  const std::vector<float> up = interpolate_bicubic(input(3), 3, 5, 1);
  const std::vector<float> expected_up{-0.1576000f, 0.2100001f,  0.6096001f, 0.4151999f,  0.1712001f, -0.1988000f, 0.1688000f,
                                       0.5684000f,  0.3739998f,  0.1300000f, -0.2672000f, 0.1004001f, 0.5000000f,  0.3055999f,
                                       0.0616000f,  -0.3356000f, 0.0320001f, 0.4316001f,  0.2371999f, -0.0068000f, -0.3768001f,
                                       -0.0091999f, 0.3904001f,  0.1959999f, -0.0480000f};
  for (size_t i = 0; i < up.size(); ++i) EXPECT_NEAR(up[i], expected_up[i], 1e-6) << i;
  const std::vector<float> down = interpolate_bicubic(input(4), 4, 2, 1);
  const std::vector<float> expected_down{0.3690430f, -0.0268555f, 0.0293945f, 0.1534180f};
  for (size_t i = 0; i < down.size(); ++i) EXPECT_NEAR(down[i], expected_down[i], 1e-6) << i;
  const std::vector<float> same = interpolate_bicubic(input(4), 4, 4, 1);
  EXPECT_EQ(same, input(4));
}

// <interpolate(x), d> = <x, back(d)>; the class token's row goes through as it is.
TEST(PositionInterpolation, BackIsTheTranspose) {
  constexpr int64_t kWidth = 3;
  const auto rows = [](int64_t grid, int seed) {
    std::vector<float> x;
    for (int64_t i = 0; i < (1 + grid * grid) * kWidth; ++i) x.push_back(static_cast<float>((i * 7 + seed) % 11) / 10.0f - 0.4f);
    return x;
  };
  const auto along = [](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b.at(i));
    return sum;
  };
  for (const auto& [trained, grid] : {std::pair<int64_t, int64_t>(3, 5), std::pair<int64_t, int64_t>(5, 2)}) {
    const std::vector<float> x = rows(trained, 3), d = rows(grid, 5);
    const std::vector<float> back = positions_back(d, trained, grid, kWidth);
    EXPECT_NEAR(along(positions_for_grid(x, trained, grid, kWidth), d), along(x, back), 1e-5);
    EXPECT_TRUE(std::equal(back.begin(), back.begin() + kWidth, d.begin()));
  }
}

TEST(MemoryPlan, CountsWhatIsReallyTaken) {
  const testing::Oracle oracle("hermes-d128");
  const ModelConfig config = load_config(oracle.folder());
  const Checkpoint checkpoint = Checkpoint::open(oracle.folder());
  const MemoryPlan mapped = plan_memory(checkpoint, config, {DType::BF16}, true);
  const MemoryPlan converted = plan_memory(checkpoint, config, {DType::F16}, true);
  // 3 layers, 1 kv head of 128, keys and values in 2 bytes.
  EXPECT_EQ(mapped.kv_cache_per_token, 3 * 2 * 128 * 2);
  EXPECT_EQ(mapped.kv_cache, mapped.kv_cache_per_token * 4096);
  EXPECT_EQ(converted.weights_mapped, 0);
  EXPECT_EQ(converted.weights_owned - mapped.weights_owned, mapped.weights_mapped);
  EXPECT_LE(mapped.weights_mapped, static_cast<int64_t>(checkpoint.total_bytes()));
  EXPECT_GT(mapped.weights_mapped, static_cast<int64_t>(checkpoint.total_bytes()) * 9 / 10);
  // The widest rows of a chunk and of the pictures that are encoded together, on their way into a product: 4 bytes a number, rounded
  // to bf16 2, in int8 1.
  const MemoryPlan rounds = plan_memory(checkpoint, config, {.type = DType::BF16, .bf16_activations = true}, true);
  constexpr auto kInt8 = WeightFormat::Int8;
  const MemoryPlan bytes = plan_memory(checkpoint, config, {DType::BF16, {kInt8, kInt8, kInt8}}, true);
  const int64_t chunk = kChunkRows * config.language.mlp;
  const int64_t pictures = mapped.pictures_together * config.vision_tokens() * config.vision.mlp;
  EXPECT_EQ(mapped.scratch - rounds.scratch, 2 * chunk);
  EXPECT_EQ(mapped.scratch - bytes.scratch, 3 * chunk);
  EXPECT_EQ(mapped.picture_batch - rounds.picture_batch, 2 * pictures);
  EXPECT_EQ(mapped.picture_batch - bytes.picture_batch, 3 * pictures);
  // Attention's keys and values, rounded to bf16, where no product needs as much.
  const MemoryPlan both = plan_memory(checkpoint, config, {DType::BF16, {kInt8, kInt8, kInt8}, {}, true}, true);
  EXPECT_EQ(both.picture_batch - bytes.picture_batch, 4 * mapped.pictures_together * config.vision_tokens() * config.vision.hidden);
  EXPECT_NO_THROW(require_fit(mapped, mapped.total()));
  try {
    require_fit(mapped, mapped.total() - 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::OutOfMemory);
    EXPECT_NE(std::string(error.what()).find("KV cache"), std::string::npos);
  }
}

TEST(ModelLoader, LoadsPartByPartAndOnce) {
  const testing::Oracle oracle("hermes-d128");
  auto loader = ModelLoader::open(testing::always(std::make_shared<cpu::CpuBackend>()), oracle.folder(), {});
  EXPECT_THROW(loader->take(), Error);
  const int64_t total = loader->total();
  EXPECT_EQ(total, (1 + 3) + 1 + (1 + 3 + 1));
  while (loader->done() < total) loader->step();
  loader->step();
  EXPECT_EQ(loader->done(), total);
  EXPECT_NE(loader->take(), nullptr);
  EXPECT_THROW(loader->take(), Error);
  const auto refused = [&](int64_t context, int64_t memory_limit) {
    LoadOptions options;
    options.context = context;
    options.memory_limit = memory_limit;
    EXPECT_THROW(ModelLoader::open(testing::always(std::make_shared<cpu::CpuBackend>()), oracle.folder(), options), Error);
  };
  refused(5000, 0);
  refused(0, 1000);
  refused(0, -7);
}

}  // namespace
}  // namespace ivl
