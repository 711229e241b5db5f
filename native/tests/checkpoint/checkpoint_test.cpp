#include "checkpoint/checkpoint.h"

#include <unistd.h>

#include <cstring>
#include <utility>

#include "checkpoint/checkpoint_files.h"

namespace ivl {
namespace {

using namespace checkpoint_test;

constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kFirst = "model-00001-of-00002.safetensors";
constexpr const char* kSecond = "model-00002-of-00002.safetensors";

// a and b in the first shard, c in the second.
void write_shards(const TempDir& dir) {
  dir.write(kFirst, SafetensorsBuilder().add("b", "BF16", {2}, "bbbb").add("a", "F32", {1}, "aaaa").build());
  dir.write(kSecond, SafetensorsBuilder().add("c", "F16", {3}, "cccccc").build());
  dir.write(kIndex, cat(R"({"metadata":{"total_size":14},"weight_map":{"a":")", kFirst, R"(","b":")", kFirst, R"(","c":")", kSecond,
                        R"("}})"));
}

void expect_broken(const TempDir& dir, std::initializer_list<std::string_view> pieces, Status status = Status::Checkpoint) {
  expect_error(status, {dir.path().string()}, [&] { Checkpoint::open(dir.path()); });
  expect_error(status, pieces, [&] { Checkpoint::open(dir.path()); });
}

TEST(Checkpoint, Oracle) {
  const Checkpoint shards = Checkpoint::open(test_data() / "hermes-d128");
  EXPECT_EQ(2u, shards.files().size());
  EXPECT_EQ(79u, shards.tensors().size());
  EXPECT_EQ(9347072u, shards.total_bytes());  // as the index's metadata says
  EXPECT_TRUE(shards.unindexed().empty());
  const TensorInfo& head = shards.get("language_model.lm_head.weight");
  EXPECT_EQ((std::vector<int64_t>{1033, 256}), head.shape);
  EXPECT_EQ(DType::BF16, head.dtype);
  EXPECT_NE(std::string::npos, head.file.find("model-00001-of-00002.safetensors"));

  const Checkpoint single = Checkpoint::open(test_data() / "hermes-gqa7", {.mapping = Mapping::Copy, .progress = {}});
  EXPECT_EQ(1u, single.files().size());
  EXPECT_EQ(57u, single.tensors().size());
  EXPECT_EQ(DType::F16, single.get("mlp1.0.weight").dtype);
  EXPECT_EQ(0u, single.unaligned_bytes());
}

TEST(Checkpoint, FindsTensorsInShards) {
  const TempDir dir;
  write_shards(dir);
  for (const Mapping mapping : {Mapping::Map, Mapping::Copy}) {
    Checkpoint opened = Checkpoint::open(dir.path(), {.mapping = mapping, .progress = {}});
    const TensorInfo* a = opened.find("a");
    const Checkpoint checkpoint = std::move(opened);
    EXPECT_EQ(a, checkpoint.find("a"));
    EXPECT_EQ((std::vector<std::string>{"a", "b", "c"}), checkpoint.names());
    EXPECT_EQ(14u, checkpoint.total_bytes());
    EXPECT_EQ(0, std::memcmp("aaaa", checkpoint.get("a").data, 4));
    EXPECT_EQ(0, std::memcmp("bbbb", checkpoint.get("b").data, 4));
    EXPECT_EQ(0, std::memcmp("cccccc", checkpoint.get("c").data, 6));
    EXPECT_EQ((dir / kSecond).string(), checkpoint.get("c").file);
    EXPECT_EQ(nullptr, checkpoint.find("d"));
    EXPECT_EQ(nullptr, checkpoint.find(""));
    expect_error(Status::Checkpoint, {"tensor 'd' is missing"}, [&] { checkpoint.get("d"); });
    checkpoint.will_need(*a);
    checkpoint.discard(*a);
  }
}

TEST(Checkpoint, SingleFileComesBeforeShards) {
  const TempDir dir;
  write_shards(dir);
  dir.write("model.safetensors", SafetensorsBuilder().add("single", "F32", {1}, "ssss").build());
  EXPECT_EQ((std::vector<std::string>{"single"}), Checkpoint::open(dir.path()).names());
}

TEST(Checkpoint, FollowsLinksAsInTheHubCache) {
  const TempDir dir;
  dir.write("blob", SafetensorsBuilder().add("a", "F32", {1}, "aaaa").build());
  fs::create_symlink("blob", dir / "model.safetensors");
  EXPECT_NE(nullptr, Checkpoint::open(dir.path()).find("a"));
  fs::remove(dir / "blob");
  expect_broken(dir, {"model.safetensors: cannot open"}, Status::Io);
}

TEST(Checkpoint, FolderWithoutWeights) {
  const TempDir dir;
  expect_broken(dir, {"no model.safetensors and no model.safetensors.index.json"});
  dir.write("pytorch_model.bin.index.json", "{}");
  expect_broken(dir, {"pytorch_model.bin.index.json", "convert to safetensors"}, Status::Unsupported);
  dir.write("pytorch_model.bin", "x");
  expect_broken(dir, {"pytorch_model.bin: ", "convert to safetensors"}, Status::Unsupported);
  expect_error(Status::Io, {"none: no such folder"}, [&] { Checkpoint::open(dir / "none"); });
  expect_error(Status::Io, {"expected a checkpoint folder"}, [&] { Checkpoint::open(dir / "pytorch_model.bin"); });
  expect_error(Status::Io, {}, [&] { Checkpoint::open(""); });
  fs::create_directory(dir / "model.safetensors");
  expect_broken(dir, {"model.safetensors: is a directory"}, Status::Io);
}

TEST(Checkpoint, WeightsOfAnotherFormatAreNamed) {
  const auto in_folder_with = [](const char* name, std::initializer_list<std::string_view> pieces,
                                 Status status = Status::Unsupported) {
    const TempDir dir;
    dir.write("config.json", "{}");
    dir.write(name, "x");
    expect_broken(dir, pieces, status);
  };
  in_folder_with("adapter_model.safetensors", {"adapter_model.safetensors: a LoRA adapter alone", "merge_and_unload"});
  in_folder_with("pytorch_model-00001-of-00002.bin", {"PyTorch pickles", "convert to safetensors"});
  in_folder_with("model-Q4_K_M.gguf", {"model-Q4_K_M.gguf: GGUF is not read"});
  in_folder_with("model-00001-of-00002.safetensors", {"only 'model-00001-of-00002.safetensors'", "index"}, Status::Checkpoint);
  const auto in_place_of_weights = [](std::string_view text, std::initializer_list<std::string_view> pieces, Status status) {
    const TempDir dir;
    dir.write("model.safetensors", text);
    expect_broken(dir, pieces, status);
  };
  in_place_of_weights("version https://git-lfs.github.com/spec/v1\n", {"model.safetensors: is a Git LFS pointer"},
                      Status::Checkpoint);
  in_place_of_weights("<!DOCTYPE html><html></html>", {"model.safetensors: is a web page"}, Status::Checkpoint);
  in_place_of_weights("GGUF and what follows", {"model.safetensors: is in the GGUF format"}, Status::Unsupported);
  in_place_of_weights("PK\x03\x04 and a zip file", {"model.safetensors: is a PyTorch pickle"}, Status::Unsupported);
  // A header's length may look like one.
  const TempDir dir;
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  header.resize(0x280, ' ');
  dir.write("model.safetensors", safetensors_with_header(header, "aaaa"));
  EXPECT_NE(nullptr, Checkpoint::open(dir.path()).find("a"));
}

TEST(Checkpoint, AnIndexMayBeAPointerOrHaveAByteOrderMark) {
  const TempDir dir;
  write_shards(dir);
  const std::string index = read_text(dir / kIndex);
  dir.write(kIndex, "\xef\xbb\xbf" + index);
  EXPECT_EQ(3u, Checkpoint::open(dir.path()).names().size());
  dir.write(kIndex, "version https://git-lfs.github.com/spec/v1\n");
  expect_broken(dir, {kIndex, "is a Git LFS pointer"});
}

TEST(Checkpoint, MissingOrTruncatedShard) {
  const TempDir dir;
  write_shards(dir);
  const std::string second = read_text(dir / kSecond);
  for (size_t length = 1; length < second.size(); ++length) {
    dir.write(kSecond, second.substr(0, length));
    expect_broken(dir, {kSecond});
  }
  dir.write(kSecond, "");
  expect_broken(dir, {kSecond, "is empty"});
  fs::remove(dir / kSecond);
  expect_broken(dir, {"1 of the 2 shards", "is missing: 'model-00002-of-00002.safetensors' (1 tensors, such as 'c')"});
  fs::remove(dir / kFirst);
  expect_broken(dir, {"2 of the 2 shards", "are missing: ", kFirst, kSecond});
}

TEST(Checkpoint, IndexAndShardsAtOdds) {
  const TempDir dir;
  write_shards(dir);
  dir.write(kSecond, SafetensorsBuilder().add("d", "F16", {3}, "cccccc").build());
  {
    // Nobody may need it.
    const Checkpoint without = Checkpoint::open(dir.path());
    EXPECT_EQ((std::vector<std::string>{"a", "b"}), without.names());
    EXPECT_EQ((dir / kSecond).string(), without.promised().at("c"));
    expect_error(Status::Checkpoint, {"tensor 'c' is missing from ", kSecond, ", where the index promises it"},
                 [&] { without.get("c"); });
  }

  dir.write(kSecond,
            SafetensorsBuilder().add("c", "F16", {1}, "cc").add("x", "F16", {1}, "xx").add("a", "F32", {1}, "AAAA").build());
  const Checkpoint checkpoint = Checkpoint::open(dir.path());
  EXPECT_EQ((std::vector<std::string>{"a", "b", "c"}), checkpoint.names());
  EXPECT_EQ((std::vector<std::string>{"a", "x"}), checkpoint.unindexed());
  EXPECT_EQ(nullptr, checkpoint.find("x"));
  EXPECT_EQ(0, std::memcmp("aaaa", checkpoint.get("a").data, 4)) << "the copy that the index names counts";
}

TEST(Checkpoint, MalformedIndex) {
  const TempDir dir;
  write_shards(dir);
  const auto expect_index = [&](const std::string& index, std::initializer_list<std::string_view> pieces,
                                Status status = Status::Checkpoint) {
    SCOPED_TRACE(index.substr(0, 100));
    dir.write(kIndex, index);
    expect_broken(dir, {kIndex}, status);
    expect_broken(dir, pieces, status);
  };
  expect_index("", {"is empty"});
  expect_index("{", {"not valid JSON"});
  expect_index("[]", {"expected an object, got a list"});
  expect_index("{}", {"weight_map is missing"});
  expect_index(R"({"weight_map":[]})", {"weight_map: expected an object of tensors and their files, got a list"});
  expect_index(R"({"weight_map":{}})", {"got an empty one"});
  expect_index(R"({"weight_map":{"a":1}})", {"weight_map.a: expected the name of a file, got 1"});
  expect_index(R"({"weight_map":{"a":"f.safetensors","a":"g.safetensors"}})", {"duplicate key 'a'"});
  expect_index(R"({"weight_map":{"a":"model.bin"}})", {"expected a .safetensors file", "model.bin"}, Status::Unsupported);
  for (const char* name : {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "a\\\\b.safetensors", "..", ".", "",
                           "a\\u0000.safetensors", "..safetensors"}) {
    expect_index(cat(R"({"weight_map":{"a":")", name, "\"}}"), {"weight_map.a: expected the name of a file in the same folder"});
  }
  expect_index(cat(R"({"weight_map":{"a":")", std::string(5000, 'n'), "\"}}"), {"in the same folder"});
  expect_index(std::string(100'000, '['), {"nested deeper"});
}

TEST(Checkpoint, CopiesUnalignedTensors) {
  const TempDir dir;
  const std::string big(100'000, 'z');
  dir.write("model.safetensors", SafetensorsBuilder()
                                     .add("byte", "U8", {1}, "x")
                                     .add("f32", "F32", {2}, "12345678")
                                     .add("big", "BF16", {50'000}, big)
                                     .add("pad", "U8", {1}, "x")
                                     .add("even", "F16", {1}, "ee")
                                     .add("none", "F32", {0}, "")
                                     .build());
  for (const Mapping mapping : {Mapping::Map, Mapping::Copy}) {
    const Checkpoint raw = Checkpoint::open(dir.path(), {.mapping = mapping, .copy_unaligned = false, .progress = {}});
    EXPECT_FALSE(raw.get("f32").aligned);
    EXPECT_FALSE(raw.get("big").aligned);
    EXPECT_TRUE(raw.get("even").aligned);
    EXPECT_EQ(100'008u, raw.unaligned_bytes());

    const Checkpoint checkpoint = Checkpoint::open(dir.path(), {.mapping = mapping, .progress = {}});
    for (const TensorInfo& tensor : checkpoint.tensors()) EXPECT_TRUE(tensor.aligned) << tensor.name;
    EXPECT_EQ(0u, std::bit_cast<uintptr_t>(checkpoint.get("f32").data) % 64);
    EXPECT_EQ(0, std::memcmp("12345678", checkpoint.get("f32").data, 8));
    EXPECT_EQ(0, std::memcmp(big.data(), checkpoint.get("big").data, big.size()));
    EXPECT_EQ(0, std::memcmp("ee", checkpoint.get("even").data, 2));
    EXPECT_EQ(100'008u, checkpoint.unaligned_bytes());
    checkpoint.discard(checkpoint.get("f32"));  // a copy: stays
    EXPECT_EQ(0, std::memcmp("12345678", checkpoint.get("f32").data, 8));
  }
}

TEST(Checkpoint, ReportsProgress) {
  const TempDir dir;
  write_shards(dir);
  const uint64_t total = fs::file_size(dir / kFirst) + fs::file_size(dir / kSecond);
  for (const Mapping mapping : {Mapping::Map, Mapping::Copy}) {
    std::vector<std::pair<uint64_t, uint64_t>> seen;
    const auto note = [&](uint64_t done, uint64_t all) { seen.emplace_back(done, all); };
    Checkpoint::open(dir.path(), {.mapping = mapping, .progress = note});
    EXPECT_EQ((std::vector<std::pair<uint64_t, uint64_t>>{{fs::file_size(dir / kFirst), total}, {total, total}}), seen);
    const auto stop = [](uint64_t, uint64_t) { fail(Status::Cancelled, "stop"); };
    expect_error(Status::Cancelled, {"stop"}, [&] { Checkpoint::open(dir.path(), {.mapping = mapping, .progress = stop}); });
  }
}

size_t resident_bytes() {
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(Checkpoint, OpeningReadsHeadersOnly) {
  const TempDir dir;
  constexpr uint64_t kBytes = uint64_t{64} << 30;
  const auto path = dir.write("model.safetensors", safetensors_with_header(cat(R"({"w":{"dtype":"BF16","shape":[)", kBytes / 2,
                                                                               R"(],"data_offsets":[0,)", kBytes, "]}}")));
  fs::resize_file(path, fs::file_size(path) + kBytes);  // a hole on the disk
  const size_t before = resident_bytes();
  const Checkpoint checkpoint = Checkpoint::open(dir.path(), {.copy_unaligned = false, .progress = {}});
  EXPECT_EQ(kBytes, checkpoint.total_bytes());
  EXPECT_LT(resident_bytes(), before + (size_t{32} << 20));
}

}  // namespace
}  // namespace ivl
