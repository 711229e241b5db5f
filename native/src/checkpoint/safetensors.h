// One safetensors file: 8 bytes of header length (little endian), a JSON header, the tensors' bytes.
//
//   {"__metadata__": {"key": "text"}, "name": {"dtype": "BF16", "shape": [64, 32], "data_offsets": [0, 4096]}, ...}
//
// Offsets count from the end of the header. As in the reference implementation the tensors cover the rest of the file
// exactly: no overlap, no hole, nothing behind the last one. The file is taken for hostile: nothing in it is believed
// before it is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/mapped_file.h"
#include "tensor/dtype.h"

namespace ivl {

struct TensorInfo {
  std::string name;
  std::optional<DType> dtype;  // empty: stored in a type we do not compute with, see dtype_name
  std::string dtype_name;      // as in the file: "F32", "BF16", "I64", ...
  std::vector<int64_t> shape;  // outermost first; empty for a scalar; a dimension may be 0
  const std::byte* data = nullptr;
  size_t bytes = 0;
  std::string file;     // path of the file it came from
  bool aligned = true;  // false: data is not a multiple of the element size, and must be read through memcpy

  // Product of the shape; known to fit.
  int64_t elements() const;
};

// "FILE: tensor 'NAME'", for messages.
std::string place_of(const TensorInfo& tensor);

struct SafetensorsContents {
  std::vector<TensorInfo> tensors;  // by offset
  std::map<std::string, std::string> metadata;
};

// Reads the header at the beginning of `file` (the whole file's bytes; the tensors' bytes are not touched). `path` is
// for messages and TensorInfo::file. The result points into `file`.
// Error(Checkpoint), naming the file and the tensor: anything malformed, truncated, duplicate, overlapping, not
// covered, out of range or overflowing. A dtype that is not known is not an error: an unused tensor does no harm.
SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& path);

// A file with its contents; the tensors point into it. Moving it leaves them valid.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path, Mapping mapping = Mapping::Map,
                              const MappedFile::Progress& progress = {});

  const MappedFile& file() const { return file_; }
  const std::vector<TensorInfo>& tensors() const { return contents_.tensors; }  // by offset
  const std::map<std::string, std::string>& metadata() const { return contents_.metadata; }
  const TensorInfo* find(std::string_view name) const;

 private:
  MappedFile file_;
  SafetensorsContents contents_;
};

}  // namespace ivl
