// A safetensors file, and what its tensors claim: each lies in the file, and they overlap nowhere.
#include <span>

#include "checkpoint/safetensors.h"
#include "fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ivl;
  const auto file = std::as_bytes(std::span(data, size));
  fuzz::expect_errors_only([&] {
    const SafetensorsContents contents = parse_safetensors(file, "model.safetensors");
    const std::byte* end = nullptr;
    for (const TensorInfo& tensor : contents.tensors) {
      fuzz::demand(tensor.bytes <= file.size());
      fuzz::demand(tensor.data >= file.data() && tensor.data + tensor.bytes <= file.data() + file.size());
      fuzz::demand(end == nullptr || tensor.data == end);
      end = tensor.data + tensor.bytes;
      fuzz::demand(tensor.elements() >= 0);
      if (tensor.dtype) fuzz::demand(static_cast<size_t>(tensor.elements()) * size_of(*tensor.dtype) == tensor.bytes);
      fuzz::check_message(place_of(tensor));
    }
    fuzz::demand(contents.tensors.empty() || end == file.data() + file.size());
  });
  return 0;
}
