#include "checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

#include "checkpoint/foreign_file.h"
#include "checkpoint/json.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr size_t kMaxRank = 64;                    // the format has none; beyond this it is an attack
constexpr std::string_view kMetadata = "__metadata__";

// Bits an element takes, 0 for a type that we have not heard of.
unsigned bits_of(std::string_view dtype) {
  constexpr std::pair<std::string_view, unsigned> types[] = {
      {"F32", 32},    {"BF16", 16},   {"F16", 16},    {"F64", 64},    {"BOOL", 8}, {"U8", 8},   {"I8", 8},
      {"U16", 16},    {"I16", 16},    {"U32", 32},    {"I32", 32},    {"U64", 64}, {"I64", 64}, {"F8_E4M3", 8},
      {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},   {"C64", 64},
  };
  for (const auto& [name, bits] : types) {
    if (name == dtype) return bits;
  }
  return 0;
}

std::optional<DType> dtype_of(std::string_view name) {
  if (name == "F32") return DType::F32;
  if (name == "BF16") return DType::BF16;
  if (name == "F16") return DType::F16;
  return std::nullopt;
}

// An entry of the header as written, before it is checked against the file.
struct Entry {
  std::string name;
  std::optional<std::string> dtype;
  std::optional<std::vector<int64_t>> shape;
  std::optional<std::vector<uint64_t>> offsets;
};

// Reads the header's grammar event by event. Everything that the grammar does not foresee is refused where it begins,
// so neither deep nesting nor a huge foreign value is ever built.
class HeaderReader final : public nlohmann::json_sax<json> {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  bool null() override { unexpected("null"); }
  bool boolean(bool value) override { unexpected(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { unexpected(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { unexpected(printable(text, 40)); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::Shape) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        broken(cat("dimension ", value, " is too large"));
      }
      if (entry_.shape->size() == kMaxRank) broken(cat("shape has more than ", kMaxRank, " dimensions"));
      entry_.shape->push_back(static_cast<int64_t>(value));
    } else if (state_ == State::Offsets) {
      if (entry_.offsets->size() == 2) broken("data_offsets: expected two numbers, got more");
      entry_.offsets->push_back(value);
    } else {
      unexpected(std::to_string(value));
    }
    return true;
  }

  bool string(string_t& value) override {
    if (state_ == State::MetadataValue) {
      metadata.emplace(std::move(key_), std::move(value));
      state_ = State::Metadata;
    } else if (state_ == State::EntryValue && key_ == "dtype") {
      entry_.dtype = std::move(value);
      state_ = State::Entry;
    } else {
      unexpected(quote(value));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    switch (state_) {
      case State::Begin: state_ = State::Names; return true;
      case State::NameValue:
        if (key_ == kMetadata) {
          state_ = State::Metadata;
        } else {
          entry_ = Entry{.name = key_, .dtype = {}, .shape = {}, .offsets = {}};
          state_ = State::Entry;
        }
        return true;
      default: unexpected("an object");
    }
  }

  bool key(string_t& key) override {
    key_ = std::move(key);
    switch (state_) {
      case State::Names:
        if (!names_.insert(key_).second) {
          fail(Status::Checkpoint, cat(path_, ": duplicate key ", quote(key_), " in the header"));
        }
        state_ = State::NameValue;
        break;
      case State::Metadata:
        if (metadata.contains(key_)) broken(cat("duplicate key ", quote(key_)));
        state_ = State::MetadataValue;
        break;
      default: {  // State::Entry: keys come nowhere else
        const bool duplicate =
            (key_ == "dtype" && entry_.dtype) || (key_ == "shape" && entry_.shape) || (key_ == "data_offsets" && entry_.offsets);
        if (duplicate) broken(cat("duplicate key ", quote(key_)));
        if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") {
          broken(cat("unknown field ", quote(key_), ", expected dtype, shape and data_offsets"));
        }
        state_ = State::EntryValue;
      }
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::Entry) {
      if (!entry_.dtype) broken("field dtype is missing");
      if (!entry_.shape) broken("field shape is missing");
      if (!entry_.offsets) broken("field data_offsets is missing");
      entries.push_back(std::move(entry_));
    }
    state_ = State::Names;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ == State::EntryValue && key_ == "shape") {
      entry_.shape.emplace();
      state_ = State::Shape;
    } else if (state_ == State::EntryValue && key_ == "data_offsets") {
      entry_.offsets.emplace();
      state_ = State::Offsets;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    if (state_ == State::Offsets && entry_.offsets->size() != 2) {
      broken(cat("data_offsets: expected two numbers, got ", entry_.offsets->size()));
    }
    state_ = State::Entry;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    fail(Status::Checkpoint, cat(path_, ": header is not valid JSON: ", json_error(error)));
  }

 private:
  enum class State : uint8_t { Begin, Names, NameValue, Metadata, MetadataValue, Entry, EntryValue, Shape, Offsets };

  [[noreturn]] void broken(const std::string& what) const {
    const bool in_metadata = state_ == State::Metadata || state_ == State::MetadataValue;
    const std::string where = in_metadata ? std::string(kMetadata) : "tensor " + quote(entry_.name);
    fail(Status::Checkpoint, cat(path_, ": ", where, ": ", what));
  }

  [[noreturn]] void unexpected(const std::string& got) const {
    switch (state_) {
      case State::NameValue:
        fail(Status::Checkpoint, cat(path_, ": header entry ", quote(key_), ": expected an object, got ", got));
      case State::MetadataValue: broken(cat("key ", quote(key_), ": expected a string, got ", got));
      case State::EntryValue: broken(cat(key_, key_ == "dtype" ? ": expected a string, got " : ": expected an array, got ", got));
      case State::Shape: broken(cat("shape: expected non-negative integers, got ", got));
      case State::Offsets: broken(cat("data_offsets: expected non-negative integers, got ", got));
      default: fail(Status::Checkpoint, cat(path_, ": header: expected an object, got ", got));
    }
  }

  const std::string& path_;
  State state_ = State::Begin;
  std::string key_;
  Entry entry_;
  std::unordered_set<std::string> names_;
};

// The header's length, checked against the file.
size_t header_bytes(std::span<const std::byte> file, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.size() <= kLengthBytes || text[kLengthBytes] != '{') refuse_foreign(text, path);
  if (file.size() < kLengthBytes) {
    fail(Status::Checkpoint, cat(path, ": truncated: expected at least 8 bytes, got ", file.size()));
  }
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = length << 8 | std::to_integer<uint64_t>(file[i]);
  if (length > kMaxHeaderBytes) {
    fail(Status::Checkpoint, cat(path, ": header length ", length, " is over the format's limit of ", kMaxHeaderBytes,
                                 " bytes: not a safetensors file?"));
  }
  if (length > file.size() - kLengthBytes) {
    fail(Status::Checkpoint, cat(path, ": truncated: the header takes ", length, " bytes, but only ", file.size() - kLengthBytes,
                                 " follow its length"));
  }
  return static_cast<size_t>(length);
}

HeaderReader read_header(std::string_view header, const std::string& path) {
  if (!header.starts_with('{')) fail(Status::Checkpoint, cat(path, ": header does not begin with '{'"));
  // The library takes a NUL for the end of its input; whatever is behind it would pass unread.
  if (const size_t nul = header.find('\0'); nul != header.npos) {
    fail(Status::Checkpoint, cat(path, ": header is not valid JSON: NUL at byte ", nul));
  }
  HeaderReader reader(path);
  json::sax_parse(header, &reader);
  return reader;
}

// Checks one entry on its own and makes it a tensor whose bytes are `payload`[begin, end).
TensorInfo to_tensor(Entry&& entry, std::span<const std::byte> payload, const std::string& path) {
  const auto broken = [&](const std::string& what) {
    fail(Status::Checkpoint, cat(path, ": tensor ", quote(entry.name), ": ", what));
  };
  const uint64_t begin = (*entry.offsets)[0];
  const uint64_t end = (*entry.offsets)[1];
  if (begin > end) broken(cat("data_offsets [", begin, ", ", end, "] end before they begin"));
  if (end > payload.size()) {
    broken(cat("data_offsets [", begin, ", ", end, "] reach past the file's ", payload.size(),
               " bytes of data: truncated file or wrong offsets"));
  }

  int64_t elements = 1;
  bool overflow = false;
  for (const int64_t dimension : *entry.shape) overflow |= __builtin_mul_overflow(elements, dimension, &elements);
  const unsigned bits = bits_of(*entry.dtype);
  int64_t total_bits = 0;
  overflow |= __builtin_mul_overflow(elements, static_cast<int64_t>(bits), &total_bits);
  if (overflow) broken(cat("shape ", shape_text(*entry.shape), " of ", printable(*entry.dtype, 40), " overflows"));
  if (bits != 0) {
    if (total_bits % 8 != 0) {
      broken(cat("shape ", shape_text(*entry.shape), " of ", *entry.dtype, " ends inside a byte"));
    }
    if (static_cast<uint64_t>(total_bits / 8) != end - begin) {
      broken(cat("shape ", shape_text(*entry.shape), " of ", *entry.dtype, ": expected ", total_bits / 8, " bytes, got ",
                 end - begin, " (data_offsets [", begin, ", ", end, "])"));
    }
  }

  TensorInfo tensor;
  tensor.name = std::move(entry.name);
  tensor.dtype = dtype_of(*entry.dtype);
  tensor.dtype_name = std::move(*entry.dtype);
  tensor.shape = std::move(*entry.shape);
  tensor.data = payload.data() + begin;
  tensor.bytes = static_cast<size_t>(end - begin);
  tensor.file = path;
  tensor.aligned = bits <= 8 || std::bit_cast<uintptr_t>(tensor.data) % (bits / 8) == 0;
  return tensor;
}

// Sorted by offset, the tensors cover the payload without overlap or hole.
void require_exact_cover(const std::vector<TensorInfo>& tensors, std::span<const std::byte> payload, const std::string& path) {
  const std::byte* reached = payload.data();
  const auto offset = [&](const std::byte* at) { return at - payload.data(); };
  const TensorInfo* previous = nullptr;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.data < reached) {
      fail(Status::Checkpoint, cat(path, ": tensor ", quote(tensor.name), " at byte ", offset(tensor.data), " overlaps ",
                                   quote(previous->name), ", which ends at byte ", offset(reached)));
    }
    if (tensor.data > reached) {
      fail(Status::Checkpoint, cat(path, ": bytes ", offset(reached), " to ", offset(tensor.data), " before tensor ",
                                   quote(tensor.name), " belong to no tensor"));
    }
    reached = tensor.data + tensor.bytes;
    previous = &tensor;
  }
  if (const ptrdiff_t rest = payload.data() + payload.size() - reached; rest != 0) {
    fail(Status::Checkpoint, cat(path, ": ", rest, " bytes behind the last tensor belong to no tensor"));
  }
}

}  // namespace

int64_t TensorInfo::elements() const {
  int64_t product = 1;
  for (const int64_t dimension : shape) product *= dimension;
  return product;
}

std::string place_of(const TensorInfo& tensor) { return cat(tensor.file, ": tensor ", quote(tensor.name)); }

SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& path) {
  const size_t length = header_bytes(file, path);
  const auto header = file.subspan(kLengthBytes, length);
  const auto payload = file.subspan(kLengthBytes + length);
  HeaderReader reader = read_header({reinterpret_cast<const char*>(header.data()), header.size()}, path);

  SafetensorsContents contents;
  contents.metadata = std::move(reader.metadata);
  contents.tensors.reserve(reader.entries.size());
  for (Entry& entry : reader.entries) contents.tensors.push_back(to_tensor(std::move(entry), payload, path));
  // Empty tensors share their offset with the next one and go before it.
  std::sort(contents.tensors.begin(), contents.tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.data != b.data ? a.data < b.data : a.bytes < b.bytes; });
  require_exact_cover(contents.tensors, payload, path);
  return contents;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, Mapping mapping, const MappedFile::Progress& progress) {
  SafetensorsFile file;
  file.file_ = MappedFile::open(path, mapping, progress);
  file.contents_ = parse_safetensors(file.file_.bytes(), file.file_.path());
  return file;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  for (const TensorInfo& tensor : contents_.tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace ivl
