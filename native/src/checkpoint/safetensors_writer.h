// Writes one safetensors file, tensor by tensor, so that no more than one need be in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace ivl {

struct TensorToWrite {
  std::string name;
  std::string dtype;  // as the format names it: "BF16", "I8"
  std::vector<int64_t> shape;
  uint64_t bytes = 0;
};

// The file appears under its name when it is complete; until then it is PATH.partial, which goes if finish() is not called.
// Error(Io) names the file.
class SafetensorsWriter {
 public:
  SafetensorsWriter(std::filesystem::path path, const std::vector<TensorToWrite>& tensors,
                    const std::map<std::string, std::string>& metadata);
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  // The tensors' bytes, in their order, in as many pieces as it takes.
  void write(const void* data, uint64_t bytes);
  void finish();

 private:
  [[noreturn]] void refuse(const char* what) const;

  std::filesystem::path path_, partial_;
  std::ofstream file_;
  uint64_t left_ = 0;  // bytes that are still to come
};

}  // namespace ivl
