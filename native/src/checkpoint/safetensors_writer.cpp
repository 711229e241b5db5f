#include "checkpoint/safetensors_writer.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <nlohmann/json.hpp>

#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kHeaderAlignment = 8;  // of the data behind the header, as the reference implementation pads it

std::string header_of(const std::vector<TensorToWrite>& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const TensorToWrite& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, at + tensor.bytes}}};
    at += tensor.bytes;
  }
  std::string text = header.dump();
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  return text;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path, const std::vector<TensorToWrite>& tensors,
                                     const std::map<std::string, std::string>& metadata)
    : path_(std::move(path)), partial_(path_.string() + ".partial"), file_(partial_, std::ios::binary | std::ios::trunc) {
  if (!file_) refuse("cannot create it");
  for (const TensorToWrite& tensor : tensors) left_ += tensor.bytes;
  const std::string header = header_of(tensors, metadata);
  char length[8];
  for (size_t i = 0; i < sizeof length; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  file_.write(length, sizeof length);
  file_.write(header.data(), static_cast<std::streamsize>(header.size()));
  if (!file_) refuse("cannot write to it");
}

SafetensorsWriter::~SafetensorsWriter() {
  if (!file_.is_open()) return;
  file_.close();
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

void SafetensorsWriter::write(const void* data, uint64_t bytes) {
  require(bytes <= left_, "safetensors: no more is written than was announced");
  file_.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  if (!file_) refuse("cannot write to it");
  left_ -= bytes;
}

void SafetensorsWriter::finish() {
  require(left_ == 0, "safetensors: all that was announced is written");
  file_.flush();
  if (!file_) refuse("cannot write to it");
  file_.close();
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) fail(Status::Io, cat(path_.string(), ": ", error.message()));
}

void SafetensorsWriter::refuse(const char* what) const {
  fail(Status::Io, cat(partial_.string(), ": ", what, ": ", std::strerror(errno)));
}

}  // namespace ivl
