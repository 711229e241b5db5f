#include "checkpoint/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "host/host_memory.h"
#include "host/memory_account.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kReadPiece = size_t{16} << 20;

std::string reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

void* memory_for(size_t size, const std::string& path) {
  try {
    return host_account().map(size);
  } catch (const Error& error) {
    fail(error.status(), cat(path, ": cannot be read into memory: ", error.what()));
  }
}

void read_all(int fd, std::byte* to, size_t size, const std::string& path, const MappedFile::Progress& progress) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, to + done, std::min(size - done, kReadPiece), static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(Status::Io, cat(path, ": cannot read: ", reason(errno)));
    if (got == 0) {
      fail(Status::Io, cat(path, ": became shorter while it was read: expected ", size, " bytes, got ", done));
    }
    done += static_cast<size_t>(got);
    if (progress) progress(done);
  }
}

}  // namespace

MappedFile MappedFile::open(const std::filesystem::path& path, Mapping mapping, const Progress& progress) {
  MappedFile file;
  file.path_ = path.string();
  file.mapping_ = mapping;

  // O_NONBLOCK: opening a FIFO must not wait for a writer before fstat can refuse it. No effect on regular files.
  const Descriptor fd(::open(file.path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail(Status::Io, cat(file.path_, ": cannot open: ", reason(errno)));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail(Status::Io, cat(file.path_, ": cannot stat: ", reason(errno)));
  if (S_ISDIR(info.st_mode)) fail(Status::Io, cat(file.path_, ": is a directory, expected a file"));
  if (!S_ISREG(info.st_mode)) fail(Status::Io, cat(file.path_, ": is not a regular file"));
  if (info.st_size == 0) fail(Status::Checkpoint, cat(file.path_, ": is empty (0 bytes)"));

  const auto size = static_cast<size_t>(info.st_size);
  const bool copy = mapping == Mapping::Copy;
  void* memory = copy ? memory_for(size, file.path_) : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) {
    const int error = errno;
    fail(error == ENOMEM ? Status::OutOfMemory : Status::Io, cat(file.path_, ": cannot map ", size, " bytes: ", reason(error)));
  }
  file.data_ = static_cast<std::byte*>(memory);
  file.size_ = size;
  if (copy) {
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    read_all(fd.get(), file.data_, size, file.path_, progress);
    host_account().set_touched(memory);
    ::mprotect(memory, size, PROT_READ);
  }
  return file;
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  if (mapping_ == Mapping::Copy) {
    host_account().unmap(data_);
  } else {
    ::munmap(data_, size_);
  }
}

void MappedFile::advise(Access access) const noexcept {
  if (data_ == nullptr) return;
  const int advice = access == Access::Sequential ? MADV_SEQUENTIAL : access == Access::Random ? MADV_RANDOM : MADV_NORMAL;
  ::madvise(data_, size_, advice);
}

void MappedFile::will_need(size_t offset, size_t length) const noexcept {
  if (offset >= size_ || length == 0) return;
  const size_t begin = offset / page_size() * page_size();
  ::madvise(data_ + begin, std::min(length, size_ - offset) + (offset - begin), MADV_WILLNEED);
}

void MappedFile::discard(size_t offset, size_t length) const noexcept {
  if (offset >= size_) return;
  // Inwards to whole pages: the rest of an edge page belongs to a neighbour. The file's last page has no neighbour.
  const size_t last = offset + std::min(length, size_ - offset);
  const size_t begin = (offset + page_size() - 1) / page_size() * page_size();
  const size_t end = last == size_ ? last : last / page_size() * page_size();
  if (begin < end) ::madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

void MappedFile::swap(MappedFile& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapping_, other.mapping_);
  std::swap(path_, other.path_);
}

}  // namespace ivl
