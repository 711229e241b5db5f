// Adapters for tests, written as PEFT writes them.
#pragma once

#include <nlohmann/json.hpp>
#include <random>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/safetensors_writer.h"
#include "model/param.h"

namespace ivl::testing {

class AdapterFolder {
 public:
  explicit AdapterFolder(uint32_t seed = 1) : random_(seed) {}

  nlohmann::json config = {{"peft_type", "LORA"}, {"r", 4}, {"lora_alpha", 8}, {"bias", "none"}, {"target_modules", {"q_proj"}}};

  // A tensor of random numbers.
  void add(const std::string& name, std::vector<int64_t> shape, DType type = DType::F32, float spread = 0.05f) {
    size_t size = 1;
    for (const int64_t dim : shape) size *= static_cast<size_t>(dim);
    std::string bytes(size * size_of(type), 0);
    std::uniform_real_distribution<float> uniform(-spread, spread);
    for (size_t i = 0; i < size; ++i) store_f32(bytes.data(), type, i, uniform(random_));
    add_bytes(name, type == DType::F32 ? "F32" : type == DType::BF16 ? "BF16" : "F16", std::move(shape), std::move(bytes));
  }
  void add_bytes(const std::string& name, const char* dtype, std::vector<int64_t> shape, std::string bytes) {
    tensors_.push_back({name, dtype, std::move(shape), bytes.size()});
    bytes_.push_back(std::move(bytes));
  }
  // A pair of the layer at `module`.
  void pair(const std::string& module, int64_t out, int64_t in, int64_t rank, DType type = DType::F32) {
    add("base_model.model." + module + ".lora_A.weight", {rank, in}, type);
    add("base_model.model." + module + ".lora_B.weight", {out, rank}, type);
  }
  // Pairs of this rank of all linear layers that take one, of the decoder alone or of the rest of the model, too.
  void pairs_of(const ParamTable& params, int64_t rank, bool vision, DType type = DType::F32) {
    config["r"] = rank;
    config["lora_alpha"] = 2 * rank;
    for (const Param& param : params.all()) {
      const bool decoder = param.part == Part::DecoderLayer || (param.part == Part::Head && !param.again);
      const bool takes = param.role == Role::Linear && param.use != Use::Patches && param.use != Use::Router && param.expert < 0;
      if (!takes || !(decoder || (vision && param.part < Part::Tokens))) continue;
      pair(param.name.substr(0, param.name.size() - std::string(".weight").size()), param.shape[0], param.shape[1], rank, type);
    }
  }

  const std::filesystem::path& write() {
    dir_.write("adapter_config.json", config.dump());
    SafetensorsWriter writer(dir_ / "adapter_model.safetensors", tensors_, {{"format", "pt"}});
    for (const std::string& bytes : bytes_) writer.write(bytes.data(), bytes.size());
    writer.finish();
    return dir_.path();
  }
  const std::filesystem::path& path() const { return dir_.path(); }

 private:
  checkpoint_test::TempDir dir_;
  std::mt19937 random_;
  std::vector<TensorToWrite> tensors_;
  std::vector<std::string> bytes_;
};

}  // namespace ivl::testing
