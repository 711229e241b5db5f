// model.safetensors.index.json beside two shards: whatever it names, no file outside its folder is opened.
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "checkpoint/checkpoint.h"
#include "fuzz/fuzz_target.h"

namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ivl::fuzz::demand(out.good());
}

// A folder with the shards. In memory where that can be: it is written to thousands of times a second.
class Folder {
 public:
  Folder() {
    const fs::path memory = "/dev/shm";
    std::string name = ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "ivl-fuzz-XXXXXX").string();
    ivl::fuzz::demand(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    for (const char* tensor : {"a", "b"}) {
      const std::string header = std::string(R"({")") + tensor + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
      std::string bytes(8, '\0');
      bytes[0] = static_cast<char>(header.size());
      write(path_ / (std::string(tensor) + ".safetensors"), bytes + header + "x");
    }
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ivl;
  static const Folder folder;
  if (size == 0) return 0;  // an empty file is mapped_file_test.cpp's
  write(folder.path() / "model.safetensors.index.json", fuzz::text_of(data, size));
  fuzz::expect_errors_only([&] {
    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    fuzz::demand(checkpoint.tensors().size() + checkpoint.unindexed().size() <= 2);
    for (const SafetensorsFile& file : checkpoint.files())
      fuzz::demand(fs::path(file.file().path()).parent_path() == folder.path());
  });
  return 0;
}
