#include "checkpoint/json.h"

#include "checkpoint/checkpoint_files.h"

namespace ivl {
namespace {

using namespace checkpoint_test;

TEST(Json, ReadsWhatPythonWrites) {
  const auto value = parse_json(R"({"a": [1, -2, 3.5e-06, true, null], "b": {"c": "\u4e2d"}})", "f.json");
  EXPECT_EQ(-2, value["a"][1]);
  EXPECT_EQ("\xe4\xb8\xad", value["b"]["c"]);
  EXPECT_EQ(1, parse_json(R"({"a": {"k": 1}, "b": {"k": 1}})", "f.json")["b"]["k"]);  // same key, other object
}

TEST(Json, DuplicateKeyAtAnyDepth) {
  expect_error(Status::Checkpoint, {"f.json", "duplicate key 'k'"}, [] { parse_json(R"({"k": 1, "k": 1})", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json", "duplicate key 'k'"},
               [] { parse_json(R"([{"a": [{"k": {"k": 1}, "k": 2}]}])", "f.json"); });
  expect_error(Status::Checkpoint, {"duplicate key 'k'"}, [] { parse_json(R"({"k": 1, "\u006b": 1})", "f.json"); });
}

TEST(Json, SyntaxErrorsNameFileAndPlace) {
  expect_error(Status::Checkpoint, {"f.json", "line 2, column 8"}, [] { parse_json("{\n\"a\": 1,}", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json", "line 1"}, [] { parse_json("{\"a\": ", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json"}, [] { parse_json("", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json"}, [] { parse_json("{} {}", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json"}, [] { parse_json("{\"a\": NaN}", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json"}, [] { parse_json("{\"a\": 1e999}", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json"}, [] { parse_json("{\"a\": \"\xff\xfe\"}", "f.json"); });
  expect_error(Status::Checkpoint, {"f.json", "NUL at byte 2"}, [] { parse_json(std::string_view("{}\0x", 4), "f.json"); });
}

TEST(Json, DeepNestingIsRefused) {
  EXPECT_NO_THROW(parse_json(std::string(60, '[') + std::string(60, ']'), "f.json"));
  expect_error(Status::Checkpoint, {"nested deeper"}, [] { parse_json(std::string(100'000, '['), "f.json"); });
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  expect_error(Status::Checkpoint, {"nested deeper"}, [&] { parse_json(objects, "f.json"); });
}

TEST(Json, FilesAreBounded) {
  const TempDir dir;
  const auto path = dir.write("big.json", "{}");
  fs::resize_file(path, (size_t{16} << 20) + 1);
  expect_error(Status::Checkpoint, {"big.json", "at most"}, [&] { read_json(path); });
  expect_error(Status::Io, {"none.json", "cannot open"}, [&] { read_json(dir / "none.json"); });
}

}  // namespace
}  // namespace ivl
