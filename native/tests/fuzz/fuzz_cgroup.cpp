// The limits that a container's files set: /proc/self/cgroup and mountinfo, and behind them cpu.max and memory.max, four texts with
// a NUL between them. They never throw, and the answer is a number that can be worked with.
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "fuzz/fuzz_target.h"
#include "host/cgroup.h"

namespace {

namespace fs = std::filesystem;

fs::path make_root() {
  const fs::path memory = "/dev/shm";
  std::string name = ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "ivl-fuzz-XXXXXX").string();
  ivl::fuzz::demand(::mkdtemp(name.data()) != nullptr);
  fs::create_directories(fs::path(name) / "proc/self");
  fs::create_directories(fs::path(name) / "sys/fs/cgroup/g");
  return name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const struct Root {
    fs::path path = make_root();
    ~Root() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } root;
  static const std::array files{"proc/self/cgroup", "proc/self/mountinfo", "sys/fs/cgroup/g/cpu.max", "sys/fs/cgroup/g/memory.max"};
  std::string_view rest = ivl::fuzz::text_of(data, size);
  for (const char* file : files) {
    const std::string_view text = rest.substr(0, rest.find('\0'));
    std::ofstream(root.path / file, std::ios::binary) << text;
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  }
  ivl::fuzz::demand(ivl::cgroup_processors(root.path) > 0);
  ivl::cgroup_memory_left(root.path);
  return 0;
}
