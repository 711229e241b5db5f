#include "checkpoint/mapped_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint_files.h"

namespace ivl {
namespace {

using namespace checkpoint_test;

class MappedFileModes : public ::testing::TestWithParam<Mapping> {};
INSTANTIATE_TEST_SUITE_P(All, MappedFileModes, ::testing::Values(Mapping::Map, Mapping::Copy),
                         [](const auto& mode) { return mode.param == Mapping::Map ? "Map" : "Copy"; });

std::string text_of(const MappedFile& file) { return {reinterpret_cast<const char*>(file.data()), file.size()}; }

TEST_P(MappedFileModes, ReadsTheFile) {
  const TempDir dir;
  const std::string text = std::string(10'000, 'a') + "end";
  const auto path = dir.write("f", text);
  MappedFile file = MappedFile::open(path, GetParam());
  EXPECT_EQ(text, text_of(file));
  EXPECT_EQ(path.string(), file.path());
  EXPECT_EQ(GetParam(), file.mapping());

  const std::byte* data = file.data();
  MappedFile moved = std::move(file);
  EXPECT_EQ(data, moved.data());
  MappedFile other = MappedFile::open(dir.write("g", "g"), GetParam());
  other = std::move(moved);
  EXPECT_EQ(text, text_of(other));
}

TEST_P(MappedFileModes, RefusesWhatIsNotAFileWithBytes) {
  const TempDir dir;
  const auto open = [&](const char* name) { return [&dir, name] { MappedFile::open(dir / name, GetParam()); }; };
  expect_error(Status::Io, {"missing", "cannot open", "No such file"}, open("missing"));
  dir.write("empty", "");
  expect_error(Status::Checkpoint, {"empty", "0 bytes"}, open("empty"));
  fs::create_directory(dir / "folder");
  expect_error(Status::Io, {"folder", "is a directory"}, open("folder"));
  ASSERT_EQ(0, ::mkfifo((dir / "pipe").c_str(), 0600));
  expect_error(Status::Io, {"pipe", "not a regular file"}, open("pipe"));  // and does not wait for a writer
  fs::create_symlink("nowhere", dir / "dangling");
  expect_error(Status::Io, {"dangling", "cannot open"}, open("dangling"));
}

TEST_P(MappedFileModes, NoPermission) {
  const TempDir dir;
  const auto path = dir.write("secret", "x");
  ASSERT_EQ(0, ::chmod(dir.path().c_str(), 0755));
  ASSERT_EQ(0, ::chmod(path.c_str(), 0));
  const uid_t self = ::geteuid();
  const uid_t reader = self == 0 ? 65534 : self;  // root may read anything
  ASSERT_EQ(0, ::seteuid(reader));
  expect_error(Status::Io, {"secret", "Permission denied"}, [&] { MappedFile::open(path, GetParam()); });
  ASSERT_EQ(0, ::seteuid(self));
}

TEST_P(MappedFileModes, HintsTakeAnyRange) {
  const TempDir dir;
  const std::string text(40'000, 'a');
  const MappedFile file = MappedFile::open(dir.write("f", text), GetParam());
  for (const size_t offset : {size_t{0}, size_t{1}, size_t{4097}, size_t{39'999}, size_t{40'000}, SIZE_MAX}) {
    for (const size_t length : {size_t{0}, size_t{1}, size_t{8192}, size_t{40'000}, SIZE_MAX}) {
      file.will_need(offset, length);
    }
  }
  file.advise(MappedFile::Access::Random);
  file.advise(MappedFile::Access::Sequential);
  file.advise(MappedFile::Access::Normal);
  EXPECT_EQ(text, text_of(file));
  const MappedFile nothing;
  nothing.will_need(0, 1);
  nothing.discard(0, 1);
  nothing.advise(MappedFile::Access::Random);
}

TEST_P(MappedFileModes, DiscardLeavesNeighboursAlone) {
  const TempDir dir;
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const MappedFile file = MappedFile::open(dir.write("f", std::string(3 * page + 100, 'a')), GetParam());
  file.discard(page / 2, page / 2 + page + 10);  // only page 1 is wholly inside
  const std::string text = text_of(file);
  const char in_between = GetParam() == Mapping::Map ? 'a' : '\0';
  EXPECT_EQ(std::string(page, 'a') + std::string(page, in_between) + std::string(page + 100, 'a'), text);
  file.discard(3 * page, SIZE_MAX);
  EXPECT_EQ(in_between, text_of(file).back());
}

TEST(MappedFile, CopyDoesNotFollowTheFile) {
  const TempDir dir;
  const auto path = dir.write("f", "before");
  const MappedFile file = MappedFile::open(path, Mapping::Copy);
  fs::resize_file(path, 0);  // with Mapping::Map reading on would raise SIGBUS
  EXPECT_EQ("before", text_of(file));
}

TEST(MappedFile, ShrinkingWhileCopiedIsAnError) {
  const TempDir dir;
  const auto path = dir.write("f", "x");
  fs::resize_file(path, size_t{40} << 20);
  expect_error(Status::Io, {"f: became shorter while it was read", "expected 41943040 bytes"},
               [&] { MappedFile::open(path, Mapping::Copy, [&](size_t) { fs::resize_file(path, 5); }); });
}

TEST(MappedFile, CopyReportsProgressAndCanBeStopped) {
  const TempDir dir;
  const auto path = dir.write("f", "x");
  fs::resize_file(path, size_t{40} << 20);
  std::vector<size_t> seen;
  MappedFile::open(path, Mapping::Copy, [&](size_t bytes) { seen.push_back(bytes); });
  EXPECT_GE(seen.size(), 3u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(size_t{40} << 20, seen.back());
  expect_error(Status::Cancelled, {"enough"},
               [&] { MappedFile::open(path, Mapping::Copy, [](size_t) { fail(Status::Cancelled, "enough"); }); });
}

}  // namespace
}  // namespace ivl
