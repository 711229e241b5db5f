#include "checkpoint/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "host/memory_account.h"

namespace ivl {
namespace {

void drop(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;  // its pages are then counted as they are
  ::fdatasync(fd);     // pages that are not on the disk yet would stay
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

}  // namespace

double drop_page_cache(const std::filesystem::path& folder) {
  std::vector<std::string> paths;
  {
    const Checkpoint headers = Checkpoint::open(folder, {Mapping::Map, false, {}});
    for (const SafetensorsFile& file : headers.files()) paths.push_back(file.file().path());
  }  // what is mapped cannot be dropped
  std::for_each(paths.begin(), paths.end(), drop);
  const size_t page = page_size();
  size_t pages = 0;
  size_t resident = 0;
  for (const std::string& path : paths) {
    const MappedFile file = MappedFile::open(path);
    std::vector<unsigned char> there((file.size() + page - 1) / page, 1);
    ::mincore(const_cast<std::byte*>(file.data()), file.size(), there.data());
    pages += there.size();
    resident += static_cast<size_t>(std::count_if(there.begin(), there.end(), [](unsigned char c) { return (c & 1) != 0; }));
  }
  return static_cast<double>(resident) / static_cast<double>(std::max<size_t>(1, pages));
}

}  // namespace ivl
