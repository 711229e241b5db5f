#include "checkpoint/foreign_file.h"

#include <algorithm>
#include <array>
#include <vector>

#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace fs = std::filesystem;
namespace {

struct Signature {
  std::string_view begin;
  Status status;
  const char* what;
};

constexpr const char* kPickle = "is a PyTorch pickle, which is not read; convert it to safetensors";

constexpr Signature kSignatures[] = {
    {"version https://git-lfs", Status::Checkpoint, "is a Git LFS pointer, not the file itself; run `git lfs pull`"},
    {"<!DOCTYPE", Status::Checkpoint, "is a web page, not the file itself; download it again"},
    {"<!doctype", Status::Checkpoint, "is a web page, not the file itself; download it again"},
    {"<html", Status::Checkpoint, "is a web page, not the file itself; download it again"},
    {"GGUF", Status::Unsupported, "is in the GGUF format, which is not read; the checkpoint's safetensors are needed"},
    {"PK\x03\x04", Status::Unsupported, kPickle},
    {"\x80\x02", Status::Unsupported, kPickle},
};

struct Kind {
  std::string_view ending;
  const char* what;
};

// Of files, the more telling first.
constexpr Kind kKinds[] = {
    {"adapter_model.safetensors", "a LoRA adapter alone; merge it into its base model (in PEFT merge_and_unload) and save that"},
    {"adapter_model.bin", "a LoRA adapter alone; merge it into its base model (in PEFT merge_and_unload) and save that"},
    {"pytorch_model.bin", "PyTorch pickles are not read; convert to safetensors"},
    {"pytorch_model.bin.index.json", "PyTorch pickles are not read; convert to safetensors"},
    {".gguf", "GGUF is not read; the checkpoint's safetensors are needed"},
    {".bin", "PyTorch pickles are not read; convert to safetensors"},
    {".pt", "PyTorch pickles are not read; convert to safetensors"},
    {".pth", "PyTorch pickles are not read; convert to safetensors"},
    {".ckpt", "PyTorch pickles are not read; convert to safetensors"},
    {".h5", "TensorFlow weights are not read; convert to safetensors"},
    {".msgpack", "Flax weights are not read; convert to safetensors"},
    {".onnx", "ONNX is not read; the checkpoint's safetensors are needed"},
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void refuse_foreign(std::string_view begin, const std::string& file) {
  for (const Signature& signature : kSignatures) {
    if (begin.starts_with(signature.begin)) fail(signature.status, cat(file, ": ", signature.what));
  }
}

void refuse_without_weights(const fs::path& folder) {
  const std::vector<std::string> names = names_in(folder);
  for (const Kind& kind : kKinds) {
    const auto name =
        std::find_if(names.begin(), names.end(), [&](const std::string& each) { return each.ends_with(kind.ending); });
    if (name != names.end()) fail(Status::Unsupported, cat((folder / *name).string(), ": ", kind.what));
  }
  const auto shard =
      std::find_if(names.begin(), names.end(), [](const std::string& each) { return each.ends_with(".safetensors"); });
  const std::string others =
      shard == names.end() ? "" : cat(", only ", quote(*shard), ": the index says which tensor lies in which file");
  fail(Status::Checkpoint, cat(folder.string(), ": no model.safetensors and no model.safetensors.index.json", others));
}

}  // namespace ivl
