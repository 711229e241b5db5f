#include "checkpoint/safetensors.h"

#include <cstring>

#include "checkpoint/checkpoint_files.h"

namespace ivl {
namespace {

using namespace checkpoint_test;

SafetensorsContents parse(const std::string& file) { return parse_safetensors(as_bytes(file), "f.safetensors"); }

void expect_broken(std::initializer_list<std::string_view> pieces, const std::string& file) {
  expect_error(Status::Checkpoint, {"f.safetensors"}, [&] { parse(file); });
  expect_error(Status::Checkpoint, pieces, [&] { parse(file); });
}

void expect_broken_header(std::initializer_list<std::string_view> pieces, std::string_view header, size_t payload = 0) {
  expect_broken(pieces, safetensors_with_header(header, std::string(payload, '\0')));
}

// A file with one tensor "a" whose entry is given.
void expect_broken_entry(std::initializer_list<std::string_view> pieces, std::string_view entry, size_t payload = 8) {
  expect_broken_header({"tensor 'a'"}, cat(R"({"a":)", entry, "}"), payload);
  expect_broken_header(pieces, cat(R"({"a":)", entry, "}"), payload);
}

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const std::string file =
      safetensors_with_header(R"({"__metadata__":{"format":"pt","x":""},"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]},)"
                              R"("a":{"data_offsets":[0,12],"shape":[2,3],"dtype":"BF16"},"none":{"dtype":"I64","shape":[0,5],)"
                              R"("data_offsets":[12,12]},"odd":{"dtype":"WEIRD","shape":[7],"data_offsets":[16,17]}}   )",
                              std::string(17, 'p'));
  const SafetensorsContents contents = parse(file);
  EXPECT_EQ((std::map<std::string, std::string>{{"format", "pt"}, {"x", ""}}), contents.metadata);
  ASSERT_EQ(4u, contents.tensors.size());
  const TensorInfo& a = contents.tensors[0];
  EXPECT_EQ("a", a.name);
  EXPECT_EQ(DType::BF16, a.dtype);
  EXPECT_EQ("BF16", a.dtype_name);
  EXPECT_EQ((std::vector<int64_t>{2, 3}), a.shape);
  EXPECT_EQ(6, a.elements());
  EXPECT_EQ(12u, a.bytes);
  EXPECT_EQ(as_bytes(file).data() + file.size() - 17, a.data);
  EXPECT_EQ("f.safetensors", a.file);
  EXPECT_EQ("none", contents.tensors[1].name);
  EXPECT_EQ(0, contents.tensors[1].elements());
  EXPECT_EQ("b", contents.tensors[2].name);
  EXPECT_EQ(1, contents.tensors[2].elements());
  EXPECT_EQ("odd", contents.tensors[3].name);
  EXPECT_EQ(std::nullopt, contents.tensors[3].dtype);
  EXPECT_EQ("WEIRD", contents.tensors[3].dtype_name);
}

TEST(Safetensors, NoTensorsAtAll) { EXPECT_TRUE(parse(safetensors_with_header("{}")).tensors.empty()); }

TEST(Safetensors, TellsUnalignedData) {
  SafetensorsBuilder builder;
  builder.add("byte", "U8", {3}, "abc").add("f32", "F32", {1}, "1234").add("i64", "I64", {1}, "12345678");
  for (size_t residue = 0; residue < 8; ++residue) {
    // The string's memory is aligned to 16, so what counts is the place in the file.
    const std::string file = builder.build(residue);
    ASSERT_EQ(0u, std::bit_cast<uintptr_t>(file.data()) % 16);
    const SafetensorsContents contents = parse(file);
    EXPECT_TRUE(contents.tensors[0].aligned);
    EXPECT_EQ((residue + 3) % 4 == 0, contents.tensors[1].aligned);
    EXPECT_EQ((residue + 7) % 8 == 0, contents.tensors[2].aligned);
  }
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const std::string file = SafetensorsBuilder().add("a", "F32", {2}, "12345678").add("b", "BF16", {3}, "abcdef").build();
  ASSERT_EQ(2u, parse(file).tensors.size());
  for (size_t length = 0; length < file.size(); ++length) {
    SCOPED_TRACE(length);
    expect_broken({}, file.substr(0, length));
  }
  expect_broken({"truncated: expected at least 8 bytes, got 7"}, file.substr(0, 7));
  expect_broken({"truncated: the header takes", "only 0 follow"}, file.substr(0, 8));
  expect_broken({"tensor 'b'", "reach past the file's 13 bytes of data"}, file.substr(0, file.size() - 1));
  expect_broken({"1 bytes behind the last tensor"}, file + 'x');
}

TEST(Safetensors, HeaderLength) {
  const std::string rest(200, '{');
  for (const uint64_t length : {uint64_t{1} << 63, UINT64_MAX, UINT64_MAX - 7, uint64_t{100'000'001}}) {
    expect_broken({"header length", "100000000"}, little_endian(length) + rest);
  }
  expect_broken({"the header takes 201 bytes", "only 200 follow"}, little_endian(201) + rest);
  expect_broken({"the header takes 100000000 bytes"}, little_endian(100'000'000) + rest);
  expect_broken({"does not begin with '{'"}, little_endian(0) + rest);
}

TEST(Safetensors, GitLfsPointer) {
  expect_broken({"Git LFS pointer", "git lfs pull"}, "version https://git-lfs.github.com/spec/v1\noid sha256:00\n");
}

TEST(Safetensors, HeaderIsNotTheRightJson) {
  expect_broken_header({"does not begin with '{'"}, " {}");
  expect_broken_header({"does not begin with '{'"}, "[]");
  expect_broken_header({"does not begin with '{'"}, "\xef\xbb\xbf{}");
  expect_broken_header({"not valid JSON: parse error at line 1, column 3"}, "{nonsense}");
  expect_broken_header({"not valid JSON"}, "{} {}");
  expect_broken_header({"not valid JSON"}, "{");
  expect_broken_header({"not valid JSON"}, R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},})", 8);
  expect_broken_header({"not valid JSON: NUL at byte 2"}, std::string_view("{}\0\0", 4));
  expect_broken_header({"not valid JSON", "\\xff"}, "{\"\xff\": {}}");
  expect_broken_header({"'a'", "expected an object, got 1"}, R"({"a":1})");
  expect_broken_header({"'a'", "expected an object, got null"}, R"({"a":null})");
  expect_broken_header({"'a'", "expected an object, got an array"}, R"({"a":[]})");
  expect_broken_header({"__metadata__", "expected an object, got 'x'"}, R"({"__metadata__":"x"})");
  expect_broken_header({"__metadata__", "key 'k'", "expected a string, got 1"}, R"({"__metadata__":{"k":1}})");
  expect_broken_header({"__metadata__", "key 'k'", "got an object"}, R"({"__metadata__":{"k":{}}})");
}

TEST(Safetensors, DeepNesting) {
  expect_broken_header({"does not begin with '{'"}, std::string(100'000, '['));
  expect_broken_header({"expected an object, got an array"}, R"({"a":)" + std::string(100'000, '['));
  expect_broken_header({"got an array"}, R"({"a":{"shape":[)" + std::string(100'000, '['));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  expect_broken_header({"unknown field 'a'"}, objects);
}

TEST(Safetensors, DuplicateKeys) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  expect_broken_header({"duplicate key 'a'"}, "{" + a + "," + a + "}", 8);
  expect_broken_header({"duplicate key '__metadata__'"}, R"({"__metadata__":{},"__metadata__":{}})");
  expect_broken_header({"__metadata__", "duplicate key 'k'"}, R"({"__metadata__":{"k":"1","k":"1"}})");
  expect_broken_entry({"duplicate key 'dtype'"}, R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})");
  expect_broken_entry({"duplicate key 'shape'"}, R"({"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]})");
  expect_broken_entry({"duplicate key 'data_offsets'"}, R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]})");
}

TEST(Safetensors, Fields) {
  expect_broken_entry({"dtype is missing"}, R"({"shape":[2],"data_offsets":[0,8]})");
  expect_broken_entry({"shape is missing"}, R"({"dtype":"F32","data_offsets":[0,8]})");
  expect_broken_entry({"data_offsets is missing"}, R"({"dtype":"F32","shape":[2]})");
  expect_broken_entry({"dtype is missing"}, "{}");
  expect_broken_entry({"unknown field 'extra'"}, R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1})");
  expect_broken_entry({"dtype: expected a string, got 1"}, R"({"dtype":1,"shape":[2],"data_offsets":[0,8]})");
  expect_broken_entry({"dtype: expected a string, got true"}, R"({"dtype":true,"shape":[2],"data_offsets":[0,8]})");
  expect_broken_entry({"shape: expected an array, got 2"}, R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})");
  expect_broken_entry({"data_offsets: expected an array, got an object"}, R"({"dtype":"F32","data_offsets":{}})");
}

TEST(Safetensors, Shapes) {
  const auto with_shape = [](std::string_view shape) {
    return cat(R"({"dtype":"F32","shape":)", shape, R"(,"data_offsets":[0,8]})");
  };
  expect_broken_entry({"non-negative integers, got -2"}, with_shape("[-2]"));
  expect_broken_entry({"non-negative integers, got 2.0"}, with_shape("[2.0]"));
  expect_broken_entry({"non-negative integers, got '2'"}, with_shape(R"(["2"])"));
  expect_broken_entry({"non-negative integers, got null"}, with_shape("[null]"));
  expect_broken_entry({"non-negative integers, got 18446744073709551616"}, with_shape("[18446744073709551616]"));
  expect_broken_entry({"dimension 9223372036854775808 is too large"}, with_shape("[9223372036854775808]"));
  expect_broken_entry({"overflows"}, with_shape("[9223372036854775807,9223372036854775807]"));
  expect_broken_entry({"overflows"}, with_shape("[4294967296,4294967296]"));  // 2^64, which wraps to 0
  expect_broken_entry({"overflows"}, with_shape("[4611686018427387905,4]"));  // 2^64 + 4
  expect_broken_entry({"overflows"}, with_shape("[4294967296,4294967296,0]"));
  expect_broken_entry({"overflows"}, with_shape("[2305843009213693954]"));  // x 4 bytes = 2^63 + 8
  expect_broken_entry({"expected 12 bytes, got 8"}, with_shape("[3]"));
  expect_broken_entry({"expected 4 bytes, got 8"}, with_shape("[]"));
  expect_broken_entry({"expected 0 bytes, got 8"}, with_shape("[2,0]"));
  std::string ones = "[1";
  for (int i = 0; i < 1000; ++i) ones += ",1";
  expect_broken_entry({"more than 64 dimensions"}, with_shape(ones + "]"));
  expect_broken_entry({"ends inside a byte"}, R"({"dtype":"F4","shape":[3],"data_offsets":[0,8]})");
}

TEST(Safetensors, Offsets) {
  const auto with_offsets = [](std::string_view offsets) {
    return cat(R"({"dtype":"F32","shape":[2],"data_offsets":)", offsets, "}");
  };
  expect_broken_entry({"end before they begin"}, with_offsets("[8,0]"));
  expect_broken_entry({"reach past the file's 8 bytes"}, with_offsets("[8,16]"));
  expect_broken_entry({"reach past"}, with_offsets("[0,18446744073709551615]"));
  expect_broken_entry({"reach past"}, with_offsets("[18446744073709551608,18446744073709551615]"));
  expect_broken_entry({"expected two numbers, got 1"}, with_offsets("[8]"));
  expect_broken_entry({"expected two numbers, got 0"}, with_offsets("[]"));
  expect_broken_entry({"expected two numbers, got more"}, with_offsets("[0,8,16]"));
  expect_broken_entry({"non-negative integers, got -8"}, with_offsets("[-8,0]"));
  expect_broken_entry({"non-negative integers, got 0.0"}, with_offsets("[0.0,8]"));
  expect_broken_entry({"non-negative integers, got an array"}, with_offsets("[[0,8]]"));
}

TEST(Safetensors, OverlapsAndHoles) {
  const auto two = [](std::string_view first, std::string_view second) {
    return cat(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)", first, R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)",
               second, "}}");
  };
  EXPECT_EQ("b", parse(safetensors_with_header(two("[8,16]", "[0,8]"), std::string(16, 'x'))).tensors[0].name);
  expect_broken_header({"'b' at byte 4 overlaps 'a', which ends at byte 8"}, two("[0,8]", "[4,12]"), 12);
  expect_broken_header({"overlaps"}, two("[0,8]", "[0,8]"), 8);
  expect_broken_header({"bytes 8 to 12 before tensor 'b' belong to no tensor"}, two("[0,8]", "[12,20]"), 20);
  expect_broken_header({"bytes 0 to 4 before tensor 'a'"}, two("[4,12]", "[12,20]"), 20);
  expect_broken_header({"4 bytes behind the last tensor"}, two("[0,8]", "[8,16]"), 20);
  expect_broken_header({"5 bytes behind the last tensor"}, "{}", 5);
  expect_broken_header({"'b' at byte 4 overlaps 'a'"},  // an empty tensor inside another
                       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                       R"("b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})",
                       8);
}

TEST(Safetensors, LongNamesMakeShortMessages) {
  const auto error = error_of([] { parse(safetensors_with_header("{\"" + std::string(1'000'000, 'n') + "\":1}")); });
  EXPECT_LT(std::strlen(error->what()), 400u);
}

TEST(Safetensors, OnlyErrorsComeOutOfMutatedHeaders) {
  std::string valid = SafetensorsBuilder()
                          .add("model.a", "F32", {2, 2}, std::string(16, 'a'))
                          .add("model.b", "BF16", {3, 5}, std::string(30, 'b'))
                          .add("c", "I64", {1}, std::string(8, 'c'))
                          .add("empty", "F16", {0, 4}, "")
                          .build();
  valid.insert(9, R"("__metadata__":{"format":"pt"},)");
  valid.replace(0, 8, little_endian(valid.size() - 8 - 54));
  ASSERT_EQ(4u, parse(valid).tensors.size());
  const size_t header_end = valid.size() - 54;

  Random random(2024);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string file = mutate(valid, header_end, random);
    // Half of them with a length that fits again, else most would fail there.
    if (random.below(2) == 0 && file.size() > 8 + 54) file.replace(0, 8, little_endian(file.size() - 8 - 54));
    // An own allocation of the exact size, so that AddressSanitizer sees the first byte behind it.
    const std::vector<std::byte> exact(as_bytes(file).begin(), as_bytes(file).end());
    try {
      const SafetensorsContents contents = parse_safetensors(exact, "fuzz");
      ++accepted;
      unsigned sum = 0;
      for (const TensorInfo& tensor : contents.tensors) {
        for (size_t i = 0; i < tensor.bytes; ++i) sum += std::to_integer<unsigned>(tensor.data[i]);
        EXPECT_TRUE(!tensor.dtype || tensor.bytes == static_cast<size_t>(tensor.elements()) * size_of(*tensor.dtype));
      }
      EXPECT_LE(sum, 54u * 255);
    } catch (const Error& error) {
      EXPECT_EQ(Status::Checkpoint, error.status()) << error.what();
    } catch (const std::exception& other) {
      FAIL() << "round " << round << ": " << other.what();
    }
  }
  EXPECT_GT(accepted, 100) << "mutations that change only names and spaces must pass";
}

TEST(Safetensors, OpensAFile) {
  const TempDir dir;
  const auto path = dir.write("f.safetensors", SafetensorsBuilder().add("a", "F32", {2}, "12345678").build());
  for (const Mapping mapping : {Mapping::Map, Mapping::Copy}) {
    SafetensorsFile opened = SafetensorsFile::open(path, mapping);
    const SafetensorsFile file = std::move(opened);
    ASSERT_NE(nullptr, file.find("a"));
    EXPECT_EQ(0, std::memcmp("12345678", file.find("a")->data, 8));
    EXPECT_EQ(path.string(), file.find("a")->file);
    EXPECT_EQ(nullptr, file.find("b"));
  }
}

TEST(Safetensors, OracleActivations) {
  for (const char* name : {"hermes-d128", "hermes-gqa7"}) {
    const SafetensorsFile file = SafetensorsFile::open(test_data() / name / "activations.safetensors");
    const TensorInfo* logits = file.find("images-separate.0/logits");
    ASSERT_NE(nullptr, logits);
    EXPECT_EQ(DType::F32, logits->dtype);
    EXPECT_TRUE(logits->aligned);
  }
}

}  // namespace
}  // namespace ivl
