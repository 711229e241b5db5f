// Files for the checkpoint tests: a temporary folder, safetensors written byte by byte, and the way to catch an Error.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/error.h"

namespace ivl::checkpoint_test {

namespace fs = std::filesystem;

inline fs::path test_data() {
  if (const char* given = std::getenv("IVL_TEST_DATA")) return given;
#ifdef IVL_TEST_DATA
  return IVL_TEST_DATA;
#else
  for (fs::path folder = fs::current_path();; folder = folder.parent_path()) {
    if (fs::is_directory(folder / "test-data")) return folder / "test-data";
    if (folder == folder.root_path()) throw std::runtime_error("no test-data above the current folder");
  }
#endif
}

// Removed with everything in it at the end of the test.
class TempDir {
 public:
  TempDir() {
    std::string name = (fs::temp_directory_path() / "ivl-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }
  fs::path operator/(const char* name) const { return path_ / name; }
  fs::path write(const char* name, std::string_view bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out) throw std::runtime_error("cannot write a test file");
    return path_ / name;
  }

 private:
  fs::path path_;
};

inline std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string little_endian(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

// A file with this header text as it is.
inline std::string safetensors_with_header(std::string_view header, std::string_view payload = {}) {
  return little_endian(header.size()).append(header).append(payload);
}

// A well-formed file, tensor by tensor.
class SafetensorsBuilder {
 public:
  SafetensorsBuilder& add(std::string_view name, std::string_view dtype, const std::vector<int64_t>& shape,
                          std::string_view bytes) {
    std::string dims;
    for (const int64_t dim : shape) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
    entries_ += cat(entries_.empty() ? "" : ",", '"', name, R"(":{"dtype":")", dtype, R"(","shape":[)", dims,
                    R"(],"data_offsets":[)", payload_.size(), ',', payload_.size() + bytes.size(), "]}");
    payload_ += bytes;
    return *this;
  }

  // `residue` is that of the data's beginning modulo 8; spaces at the header's end get it there.
  std::string build(size_t residue = 0) const {
    std::string header = "{" + entries_ + "}";
    while ((8 + header.size()) % 8 != residue) header += ' ';
    return safetensors_with_header(header, payload_);
  }

 private:
  std::string entries_;
  std::string payload_;
};

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// The Error that `action` throws. Anything else it does fails the test.
template <class Action>
std::optional<Error> error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& other) {
    ADD_FAILURE() << "not an ivl::Error: " << other.what();
    return std::nullopt;
  }
  ADD_FAILURE() << "nothing was thrown";
  return std::nullopt;
}

template <class Action>
void expect_error(Status status, std::initializer_list<std::string_view> pieces, Action&& action) {
  const auto error = error_of(action);
  if (!error) return;
  const std::string message = error->what();
  EXPECT_EQ(status, error->status()) << message;
  for (const std::string_view piece : pieces) {
    EXPECT_NE(std::string::npos, message.find(piece)) << "expected '" << piece << "' in: " << message;
  }
}

// A small fixed generator, so that a failing mutation is the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }

 private:
  uint64_t state_;
};

// A few random edits of the first `region` bytes of `text`: flipped bits, other bytes, digits, removals, insertions,
// repetitions; now and then a truncation.
inline std::string mutate(std::string text, size_t region, Random& random) {
  static constexpr char characters[] = "0123456789{}[]\",:-.e \\\0\xff";
  constexpr std::string_view likely(characters, sizeof characters - 1);
  for (size_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
    const size_t at = random.below(std::min(region, text.size()));
    switch (random.below(7)) {
      case 0: text[at] = static_cast<char>(text[at] ^ (1 << random.below(8))); break;
      case 1: text[at] = static_cast<char>(random.below(256)); break;
      case 2:
      case 3: text[at] = likely[random.below(likely.size())]; break;
      case 4: text.erase(at, 1 + random.below(8)); break;
      case 5: text.insert(at, text.substr(random.below(text.size()), 1 + random.below(24))); break;
      default:
        if (random.below(4) == 0) text.resize(at);
    }
  }
  return text;
}

}  // namespace ivl::checkpoint_test
