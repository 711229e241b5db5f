// The bytes of a file, read-only: mapped, or read into memory of our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace ivl {

enum class Mapping : uint8_t {
  // Pages come from the page cache when first touched and are shared by every process that maps the file. If another
  // process truncates or rewrites the file meanwhile, our view changes with it, and touching a page past the new end
  // raises SIGBUS, which ends the process (and the JVM in it). The same holds for a disk or network error while paging
  // in. So: for files that nobody replaces in place (downloads write a new file and rename it, which is safe).
  Map,
  // Read once into anonymous memory (huge pages where the kernel gives them). What happens to the file later does not
  // matter, and an error while reading is an Error. Costs the file's size in memory that cannot be dropped.
  Copy,
};

class MappedFile {
 public:
  // Called after each piece with the bytes read so far; only for Mapping::Copy. May throw to stop the reading.
  using Progress = std::function<void(size_t bytes_read)>;

  // How a mapped file will be read; a hint to the kernel's read-ahead.
  enum class Access : uint8_t { Normal, Sequential, Random };

  // Opens a regular file. Error(Io): missing, no permission, a directory or device, unreadable, or shorter than its
  // size said while being copied. Error(Checkpoint): empty. Error(OutOfMemory): no memory to map or copy it.
  static MappedFile open(const std::filesystem::path& path, Mapping mapping = Mapping::Map, const Progress& progress = {});

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept { swap(other); }
  MappedFile& operator=(MappedFile&& other) noexcept {
    MappedFile taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~MappedFile();

  const std::byte* data() const { return data_; }  // begins at a page
  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }
  Mapping mapping() const { return mapping_; }

  // Hints; ranges reaching past the end are cut, failures are ignored.
  void advise(Access access) const noexcept;
  // Starts reading the range in the background.
  void will_need(size_t offset, size_t length) const noexcept;
  // Gives back the memory of the pages that lie wholly inside the range, once their contents live elsewhere (repacked,
  // or on a device). Mapped bytes are read again from the file if touched; copied bytes read as zero from then on.
  void discard(size_t offset, size_t length) const noexcept;

 private:
  void swap(MappedFile& other) noexcept;

  std::byte* data_ = nullptr;
  size_t size_ = 0;
  Mapping mapping_ = Mapping::Map;
  std::string path_;
};

}  // namespace ivl
