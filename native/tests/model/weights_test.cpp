#include "model/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/non_finite.h"
#include "model/weight_formats.h"

namespace ivl {
namespace {

using namespace checkpoint_test;
using Shape = std::vector<int64_t>;

// Every size differs from every other, so that swapped dimensions show.
ModelConfig tiny() {
  ModelConfig config;
  config.vision = {.hidden = 16, .heads = 2, .mlp = 24, .layers = 1, .patch = 2, .image_size = 8};
  config.language = {.hidden = 40, .layers = 1, .heads = 4, .kv_heads = 2, .head_dim = 8, .mlp = 48, .vocab = 50};
  config.image_size = 4;  // not the trained one
  return config;
}

int64_t product(const std::vector<int64_t>& shape) {
  int64_t elements = 1;
  for (const int64_t dim : shape) elements *= dim;
  return elements;
}

struct WeightSpec {
  std::string name;
  std::vector<int64_t> shape;
};

std::vector<WeightSpec> expected_weights(const ModelConfig& config) {
  const ParamTable params(config);
  std::vector<WeightSpec> specs;
  for (const Param& param : params.all()) {
    if (!param.again) specs.push_back({param.name, param.shape});
  }
  return specs;
}

SafetensorsBuilder zeros(const std::vector<WeightSpec>& specs) {
  SafetensorsBuilder builder;
  for (const WeightSpec& spec : specs) {
    builder.add(spec.name, "BF16", spec.shape, std::string(static_cast<size_t>(product(spec.shape)) * 2, '\0'));
  }
  return builder;
}

Checkpoint checkpoint_of(const TempDir& dir, const SafetensorsBuilder& builder) {
  dir.write("model.safetensors", builder.build());
  return Checkpoint::open(dir.path());
}

std::vector<int64_t> shape_of(const std::vector<WeightSpec>& specs, const std::string& name) {
  for (const WeightSpec& spec : specs) {
    if (spec.name == name) return spec.shape;
  }
  return {-1};
}

TEST(Weights, OracleCheckpointsAreComplete) {
  for (const char* name : {"hermes-d128", "hermes-gqa7", "internlm2-tiles", "qwen2-tied", "qwen2-hf", "qwen3", "qwen3-moe"}) {
    SCOPED_TRACE(name);
    const Checkpoint checkpoint = Checkpoint::open(test_data() / name);
    const ModelConfig config = as_stored(load_config(test_data() / name), checkpoint);
    EXPECT_EQ(checkpoint.tensors().size(), expected_weights(config).size());
    const CheckReport report = check_weights(checkpoint, config);
    EXPECT_TRUE(report.ok());
    EXPECT_TRUE(report.unexpected.empty());
    EXPECT_NO_THROW(require_weights(checkpoint, config));
    for (const TensorInfo& tensor : checkpoint.tensors()) EXPECT_EQ(0u, scan_non_finite(tensor).count) << tensor.name;
  }
}

TEST(Weights, Published40BHas40BillionParameters) {
  ModelConfig config;
  config.vision = {.hidden = 3200, .heads = 25, .mlp = 12800, .layers = 45, .patch = 14, .image_size = 448};
  config.language = {.hidden = 7168, .layers = 60, .heads = 56, .kv_heads = 8, .head_dim = 128, .mlp = 20480, .vocab = 64009};
  config.image_size = 448;
  int64_t parameters = 0;
  for (const WeightSpec& spec : expected_weights(config)) parameters += product(spec.shape);
  EXPECT_NEAR(40.06e9, static_cast<double>(parameters), 0.01e9);
}

// InternVL2_5-1B and -2B: the sizes of their cards.
TEST(Weights, PublishedSmallOnesHaveTheParametersOfTheirCards) {
  const auto billions = [](const char* architecture, int64_t hidden, int64_t heads, int64_t kv_heads, int64_t mlp, int64_t vocab) {
    const std::string text = cat(R"({"architectures": ["InternVLChatModel"], "force_image_size": 448,
      "llm_config": {"architectures": [")",
                                 architecture, R"("], "rope_theta": 1e6, "num_hidden_layers": 24, "hidden_size": )", hidden,
                                 R"(, "num_attention_heads": )", heads, R"(, "num_key_value_heads": )", kv_heads,
                                 R"(, "intermediate_size": )", mlp, R"(, "vocab_size": )", vocab, R"(},
      "vision_config": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
        "image_size": 448, "norm_type": "layer_norm", "qkv_bias": true, "qk_normalization": false}})");
    const ParamTable params(parse_config(text));
    int64_t elements = 0;
    for (const Param& param : params.all()) elements += param.elements();
    return static_cast<double>(elements) / 1e9;
  };
  EXPECT_NEAR(0.938, billions("Qwen2ForCausalLM", 896, 14, 2, 4864, 151674), 0.001);
  EXPECT_NEAR(2.206, billions("InternLM2ForCausalLM", 2048, 16, 8, 8192, 92553), 0.001);
}

TEST(Weights, ShapesAndVariants) {
  ModelConfig config = tiny();
  auto specs = expected_weights(config);
  const std::string vision = "vision_model.encoder.layers.0.";
  const std::string language = "language_model.model.layers.0.";
  EXPECT_EQ((Shape{1, 17, 16}), shape_of(specs, "vision_model.embeddings.position_embedding"));
  EXPECT_EQ((Shape{1, 1, 16}), shape_of(specs, "vision_model.embeddings.class_embedding"));
  EXPECT_EQ((Shape{16, 3, 2, 2}), shape_of(specs, "vision_model.embeddings.patch_embedding.weight"));
  EXPECT_EQ((Shape{48, 16}), shape_of(specs, vision + "attn.qkv.weight"));
  EXPECT_EQ((Shape{24, 16}), shape_of(specs, vision + "mlp.fc1.weight"));
  EXPECT_EQ((Shape{16, 24}), shape_of(specs, vision + "mlp.fc2.weight"));
  EXPECT_EQ((Shape{16}), shape_of(specs, vision + "attn.q_norm.weight"));
  EXPECT_EQ((Shape{64}), shape_of(specs, "mlp1.0.weight"));
  EXPECT_EQ((Shape{40, 64}), shape_of(specs, "mlp1.1.weight"));
  EXPECT_EQ((Shape{40, 40}), shape_of(specs, "mlp1.3.weight"));
  EXPECT_EQ((Shape{32, 40}), shape_of(specs, language + "self_attn.q_proj.weight"));  // head_dim given, not 10
  EXPECT_EQ((Shape{16, 40}), shape_of(specs, language + "self_attn.v_proj.weight"));
  EXPECT_EQ((Shape{40, 32}), shape_of(specs, language + "self_attn.o_proj.weight"));
  EXPECT_EQ((Shape{40, 48}), shape_of(specs, language + "mlp.down_proj.weight"));
  EXPECT_EQ((Shape{50, 40}), shape_of(specs, "language_model.lm_head.weight"));
  EXPECT_EQ((Shape{-1}), shape_of(specs, vision + "norm1.bias"));
  EXPECT_EQ((Shape{-1}), shape_of(specs, vision + "attn.qkv.bias"));
  EXPECT_EQ((Shape{-1}), shape_of(specs, language + "self_attn.o_proj.bias"));

  config.vision.norm = NormKind::LayerNorm;
  config.vision.qkv_bias = true;
  config.vision.qk_norm = false;
  config.language.plan.qkv_bias = config.language.plan.out_bias = true;
  config.language.tied_head = true;
  specs = expected_weights(config);
  EXPECT_EQ((Shape{16}), shape_of(specs, vision + "norm1.bias"));
  EXPECT_EQ((Shape{16}), shape_of(specs, vision + "norm2.bias"));
  EXPECT_EQ((Shape{48}), shape_of(specs, vision + "attn.qkv.bias"));
  EXPECT_EQ((Shape{-1}), shape_of(specs, vision + "attn.q_norm.weight"));
  EXPECT_EQ((Shape{32}), shape_of(specs, language + "self_attn.q_proj.bias"));
  EXPECT_EQ((Shape{16}), shape_of(specs, language + "self_attn.k_proj.bias"));
  EXPECT_EQ((Shape{40}), shape_of(specs, language + "self_attn.o_proj.bias"));
  EXPECT_EQ((Shape{-1}), shape_of(specs, "language_model.lm_head.weight"));
}

TEST(Weights, EachMissingWeightIsNamed) {
  const TempDir dir;
  const auto specs = expected_weights(tiny());
  for (size_t left_out = 0; left_out < specs.size(); ++left_out) {
    auto rest = specs;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(left_out));
    const Checkpoint checkpoint = checkpoint_of(dir, zeros(rest));
    EXPECT_EQ((std::vector<std::string>{specs[left_out].name}), check_weights(checkpoint, tiny()).missing);
    expect_error(Status::Checkpoint, {dir.path().string(), "1 of the model's weights", specs[left_out].name + ": missing"},
                 [&] { require_weights(checkpoint, tiny()); });
  }
}

TEST(Weights, WrongShapesAndTypes) {
  const TempDir dir;
  auto specs = expected_weights(tiny());
  for (WeightSpec& spec : specs) {
    if (spec.name == "language_model.model.embed_tokens.weight") spec.shape[0] = 49;  // vocabulary of another model
    if (spec.name == "mlp1.1.weight") std::swap(spec.shape[0], spec.shape[1]);
    if (spec.name == "vision_model.embeddings.class_embedding") spec.shape = {16};
  }
  std::erase_if(specs, [](const WeightSpec& spec) { return spec.name == "mlp1.3.bias"; });
  SafetensorsBuilder builder = zeros(specs);
  builder.add("mlp1.3.bias", "I8", {40}, std::string(40, '\0'));
  const Checkpoint checkpoint = checkpoint_of(dir, builder);
  const CheckReport report = check_weights(checkpoint, tiny());
  EXPECT_FALSE(report.ok());
  EXPECT_TRUE(report.missing.empty());
  const std::string file = (dir / "model.safetensors").string();
  EXPECT_EQ(
      (std::vector<std::string>{"vision_model.embeddings.class_embedding: expected shape (1, 1, 16), got (16) in " + file,
                                "mlp1.1.weight: expected shape (40, 64), got (64, 40) in " + file,
                                "language_model.model.embed_tokens.weight: expected shape (50, 40), got (49, 40) in " + file}),
      report.wrong_shape);
  EXPECT_EQ((std::vector<std::string>{"mlp1.3.bias: expected type F32, BF16 or F16, got I8 in " + file}), report.wrong_dtype);
  expect_error(Status::Checkpoint, {"4 of the model's weights", "(64, 40)", "got I8"},
               [&] { require_weights(checkpoint, tiny()); });
}

TEST(Weights, ManyProblemsMakeOneShortMessage) {
  const TempDir dir;
  const Checkpoint checkpoint = checkpoint_of(dir, zeros({}));
  ModelConfig config = tiny();
  config.language.layers = 1000;
  const auto error = error_of([&] { require_weights(checkpoint, config); });
  const std::string message = error->what();
  EXPECT_NE(std::string::npos, message.find("class_embedding: missing"));
  EXPECT_EQ(10, std::count(message.begin(), message.end(), ';'));
  EXPECT_LT(message.size(), 1000u);
}

TEST(Weights, UnexpectedTensorsAreListed) {
  const TempDir dir;
  auto specs = expected_weights(tiny());
  specs.push_back({"extra.weight", {3}});
  specs.push_back({"language_model.model.layers.1.input_layernorm.weight", {40}});  // a layer too many
  specs.push_back({"language_model.model.layers.0.self_attn.rotary_emb.inv_freq", {4}});
  specs.push_back({"vision_model.embeddings.position_ids", {1, 17}});
  Checkpoint checkpoint = checkpoint_of(dir, zeros(specs));
  CheckReport report = check_weights(checkpoint, tiny());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ((std::vector<std::string>{"extra.weight", "language_model.model.layers.1.input_layernorm.weight"}), report.unexpected);

  ModelConfig tied = tiny();
  tied.language.tied_head = true;
  checkpoint = checkpoint_of(dir, zeros(expected_weights(tiny())));  // with a head of the embeddings' values
  report = check_weights(checkpoint, as_stored(tied, checkpoint));
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.unexpected.empty());
}

TEST(Weights, AHeadInTheFilesIsTheHead) {
  const TempDir dir;
  ModelConfig tied = tiny();
  tied.language.tied_head = true;
  const Checkpoint without = checkpoint_of(dir, zeros(expected_weights(tied)));
  EXPECT_TRUE(as_stored(tied, without).language.tied_head);
  EXPECT_TRUE(check_weights(without, as_stored(tied, without)).ok());
  expect_error(Status::Checkpoint, {"language_model.lm_head.weight: missing, and tie_word_embeddings is not true"},
               [&] { require_weights(without, as_stored(tiny(), without)); });

  const Checkpoint with = checkpoint_of(dir, zeros(expected_weights(tiny())));
  EXPECT_FALSE(as_stored(tied, with).language.tied_head);
  EXPECT_FALSE(as_stored(tiny(), with).language.tied_head);
}

TEST(Weights, AHeadThatContradictsTheConfigurationIsRefused) {
  const TempDir dir;
  auto specs = expected_weights(tiny());
  std::erase_if(specs, [](const WeightSpec& spec) { return spec.name == "language_model.lm_head.weight"; });
  SafetensorsBuilder builder = zeros(specs);
  builder.add("language_model.lm_head.weight", "BF16", {50, 40}, std::string(50 * 40 * 2, '\1'));
  const Checkpoint checkpoint = checkpoint_of(dir, builder);
  ModelConfig tied = tiny();
  tied.language.tied_head = true;
  expect_error(Status::Checkpoint,
               {"model.safetensors", "'language_model.lm_head.weight'", "tie_word_embeddings is true",
                "'language_model.model.embed_tokens.weight'"},
               [&] { as_stored(tied, checkpoint); });
  EXPECT_FALSE(as_stored(tiny(), checkpoint).language.tied_head);
  tied.language.may_have_head = true;  // as version 5 of transformers writes it of every model
  EXPECT_FALSE(as_stored(tied, checkpoint).language.tied_head);
}

// The transformers-native layout has had two generations of names.
TEST(Weights, BothGenerationsOfNamesAreFound) {
  const Checkpoint first = Checkpoint::open(test_data() / "qwen2-hf");
  const ModelConfig config = load_config(test_data() / "qwen2-hf");
  const TempDir dir;
  SafetensorsBuilder builder;
  for (const TensorInfo& tensor : first.tensors()) {
    std::string name = tensor.name;
    constexpr std::string_view kDecoder = "language_model.model.";
    name = name.starts_with(kDecoder) ? "model.language_model." + name.substr(kDecoder.size()) : "model." + name;
    builder.add(name, tensor.dtype_name, tensor.shape,
                {reinterpret_cast<const char*>(tensor.data), static_cast<size_t>(tensor.bytes)});
  }
  const Checkpoint second = checkpoint_of(dir, builder);
  for (const Checkpoint* checkpoint : {&first, &second}) {
    const CheckReport report = check_weights(*checkpoint, as_stored(config, *checkpoint));
    EXPECT_TRUE(report.ok());
    EXPECT_TRUE(report.unexpected.empty());
  }
  EXPECT_EQ(as_stored(config, second).prefixes.vision, "model.vision_tower.");
  EXPECT_EQ(as_stored(config, second).prefixes.head, "");
}

TEST(Params, AFileWithAllQueriesKeysAndValuesIsReadInTheModelsOrder) {
  ModelConfig config = load_config(test_data() / "internlm2-tiles");  // 4 heads on 2, of 64
  const ParamTable params(config);
  const auto layer = params.of(Part::DecoderLayer, 1);
  const auto qkv = std::find_if(layer.begin(), layer.end(), [](const Param& p) { return p.use == Use::Qkv; });
  ASSERT_NE(qkv, layer.end());
  EXPECT_EQ(qkv->name, "language_model.model.layers.1.attention.wqkv.weight");
  EXPECT_EQ(qkv->shape, (Shape{512, 256}));
  std::vector<int64_t> rows;
  for (const RowRange& range : qkv->order) {
    rows.push_back(range.begin);
    rows.push_back(range.count);
  }
  EXPECT_EQ(rows, (std::vector<int64_t>{0, 128, 256, 128, 128, 64, 384, 64, 192, 64, 448, 64}));
}

ModelConfig with_experts() {
  ModelConfig config = tiny();
  config.language.layers = 3;
  config.language.experts = {.count = 4, .per_token = 2, .width = 24, .normalizes = true, .in_layer = {true, false, true}};
  return config;
}

TEST(Params, OfExperts) {
  const ParamTable params(with_experts());
  const auto layer = params.of(Part::DecoderLayer, 2);
  EXPECT_EQ(layer.size(), 6u + 1 + 4 * 3);
  const auto shape = [&](const std::string& name) { return params.find("language_model.model.layers." + name)->shape; };
  EXPECT_EQ((std::vector<int64_t>{4, 40}), shape("2.mlp.gate.weight"));
  EXPECT_EQ((std::vector<int64_t>{24, 40}), shape("0.mlp.experts.3.gate_proj.weight"));
  EXPECT_EQ((std::vector<int64_t>{40, 24}), shape("0.mlp.experts.0.down_proj.weight"));
  EXPECT_EQ((std::vector<int64_t>{48, 40}), shape("1.mlp.gate_proj.weight"));
  EXPECT_EQ(params.find("language_model.model.layers.1.mlp.gate.weight"), nullptr);
  const Precision int8{.type = DType::BF16, .formats = {.decoder = WeightFormat::Int8}};
  EXPECT_EQ(format_of(*params.find("language_model.model.layers.0.mlp.gate.weight"), int8), WeightFormat::Plain);
  EXPECT_EQ(format_of(*params.find("language_model.model.layers.0.mlp.experts.2.up_proj.weight"), int8), WeightFormat::Int8);
}

TEST(Weights, AMissingExpertIsNamed) {
  const TempDir dir;
  auto specs = expected_weights(with_experts());
  std::erase_if(specs,
                [](const WeightSpec& spec) { return spec.name == "language_model.model.layers.2.mlp.experts.3.up_proj.weight"; });
  const Checkpoint checkpoint = checkpoint_of(dir, zeros(specs));
  expect_error(
      Status::Checkpoint,
      {"1 of the model's weights is missing or wrong: language_model.model.layers.2.mlp.experts.3.up_proj.weight: missing"},
      [&] { require_weights(checkpoint, with_experts()); });
}

TEST(Params, StandOnceEachInOneTable) {
  for (const char* name : {"hermes-d128", "internlm2-tiles", "qwen2-tied", "qwen2-hf", "qwen3", "qwen3-moe"}) {
    SCOPED_TRACE(name);
    const ModelConfig config = load_config(test_data() / name);
    const ParamTable params(config);
    std::set<std::string> names;
    for (const Param& param : params.all()) EXPECT_NE(names.insert(param.name).second, param.again) << param.name;
    EXPECT_FALSE(params.of(Part::VisionBlock, config.vision.layers - 1).empty());
    EXPECT_TRUE(params.of(Part::VisionBlock, config.vision.layers).empty());
    EXPECT_EQ(params.find("none"), nullptr);
  }
}

TEST(Weights, InAShardButNotInTheIndex) {
  const TempDir dir;
  const auto specs = expected_weights(tiny());
  SafetensorsBuilder builder = zeros(specs);
  builder.add("extra", "F32", {1}, "eeee");
  dir.write("m.safetensors", builder.build());
  std::string index = R"({"weight_map":{)";
  for (size_t i = 1; i < specs.size(); ++i) index += cat(i == 1 ? "" : ",", '"', specs[i].name, R"(":"m.safetensors")");
  dir.write("model.safetensors.index.json", index + "}}");
  const Checkpoint checkpoint = Checkpoint::open(dir.path());
  const CheckReport report = check_weights(checkpoint, tiny());
  EXPECT_EQ((std::vector<std::string>{specs[0].name}), report.missing);
  EXPECT_EQ((std::vector<std::string>{"extra", specs[0].name}), report.unexpected);
  expect_error(Status::Checkpoint, {specs[0].name + ": is in a shard, but missing from the index"},
               [&] { require_weights(checkpoint, tiny()); });
}

TEST(Weights, InTheIndexButNotInAShard) {
  const TempDir dir;
  const auto specs = expected_weights(tiny());
  dir.write("m.safetensors", zeros({specs.begin() + 1, specs.end()}).build());
  std::string index = R"({"weight_map":{"x.rotary_emb.inv_freq":"m.safetensors","extra":"m.safetensors")";
  for (const WeightSpec& spec : specs) index += cat(",\"", spec.name, R"(":"m.safetensors")");
  dir.write("model.safetensors.index.json", index + "}}");
  const Checkpoint checkpoint = Checkpoint::open(dir.path());
  const CheckReport report = check_weights(checkpoint, tiny());
  EXPECT_EQ((std::vector<std::string>{specs[0].name}), report.missing);
  EXPECT_EQ((std::vector<std::string>{"extra"}), report.unexpected);
  expect_error(Status::Checkpoint,
               {cat(specs[0].name, ": missing from ", (dir / "m.safetensors").string(), ", where the index promises it")},
               [&] { require_weights(checkpoint, tiny()); });
}

TEST(Weights, LoraLayersThatAreNotMergedAreNamed) {
  const TempDir dir;
  for (const char* name : {"language_model.model.layers.0.self_attn.q_proj.lora_A.weight",
                           "base_model.model.language_model.model.layers.0.mlp.up_proj.lora_A.default.weight",
                           "language_model.model.layers.0.self_attn.q_proj.base_layer.weight"}) {
    SafetensorsBuilder builder = zeros(expected_weights(tiny()));  // complete without them
    const Checkpoint checkpoint = checkpoint_of(dir, builder.add(name, "F32", {1}, "eeee"));
    EXPECT_FALSE(check_weights(checkpoint, tiny()).ok());
    expect_error(Status::Unsupported, {"1 tensors are of LoRA layers that are not merged", name, "merge_and_unload"},
                 [&] { require_weights(checkpoint, tiny()); });
  }
}

TensorInfo tensor_of(const void* data, DType dtype, size_t elements) {
  TensorInfo tensor;
  tensor.name = "t";
  tensor.dtype = dtype;
  tensor.shape = {static_cast<int64_t>(elements)};
  tensor.data = static_cast<const std::byte*>(data);
  tensor.bytes = elements * size_of(dtype);
  return tensor;
}

TEST(Weights, ScanFindsNanAndInfinity) {
  for (const DType dtype : {DType::F32, DType::BF16, DType::F16}) {
    SCOPED_TRACE(name_of(dtype));
    constexpr size_t kElements = 10'001;
    std::vector<std::byte> storage(kElements * size_of(dtype) + 1);
    for (const size_t shift : {size_t{0}, size_t{1}}) {  // aligned or not
      std::byte* data = storage.data() + shift;
      const TensorInfo tensor = tensor_of(data, dtype, kElements);
      const float largest = dtype == DType::F16 ? 65504.0f : 3.38e38f;
      for (size_t i = 0; i < kElements; ++i) store_f32(data, dtype, i, i % 2 == 0 ? largest : -largest);
      EXPECT_EQ(0u, scan_non_finite(tensor).count);
      EXPECT_EQ(std::nullopt, scan_non_finite(tensor).first);

      store_f32(data, dtype, kElements - 1, -std::numeric_limits<float>::infinity());
      EXPECT_EQ(1u, scan_non_finite(tensor).count);
      EXPECT_EQ(kElements - 1, scan_non_finite(tensor).first);
      store_f32(data, dtype, 4096, std::nanf(""));
      store_f32(data, dtype, 4100, std::numeric_limits<float>::infinity());
      EXPECT_EQ(3u, scan_non_finite(tensor).count);
      EXPECT_EQ(4096u, scan_non_finite(tensor).first);
      store_f32(data, dtype, 0, -std::nanf(""));
      EXPECT_EQ(0u, scan_non_finite(tensor).first);
    }
    EXPECT_EQ(0u, scan_non_finite(tensor_of(storage.data(), dtype, 0)).count);
  }
}

TEST(Weights, ScanRefusesOtherTypes) {
  TensorInfo tensor = tensor_of("12345678", DType::F32, 2);
  tensor.dtype.reset();
  tensor.dtype_name = "I64";
  expect_error(Status::Unsupported, {"tensor 't'", "I64"}, [&] { scan_non_finite(tensor); });
}

}  // namespace
}  // namespace ivl
