#include "io/safetensors.h"

#include <gmock/gmock.h>

#include <array>
#include <cstring>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A file by hand: length, header, data.
std::vector<std::byte> file_of(const std::string& header, const std::string& data = "") {
  std::string text(8, '\0');
  for (size_t i = 0; i < 8; ++i) text[i] = static_cast<char>(header.size() >> (8 * i) & 255);
  text += header + data;
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string refusal(const std::string& header, const std::string& data = "") {
  return user_error([&] { SafetensorsFile::parse(file_of(header, data), "x.st"); });
}

// A file of one tensor "t" with four bytes.
std::string refusal_of_entry(const std::string& entry) {
  return refusal("{\"t\":" + entry + "}", "abcd");
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(SafetensorsReader, ReadsNamesTypesShapesBytesAndMetadata) {
  const auto file = SafetensorsFile::parse(
      file_of(R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]},)"
              R"("__metadata__":{"made by":"hand"},)"
              R"("a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},)"
              R"("none":{"dtype":"I64","shape":[0,5],"data_offsets":[4,4]},)"
              R"("scalar":{"dtype":"BOOL","shape":[],"data_offsets":[7,8]}}   )",
              "abcdefg\1"),
      "x.st");
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(file.tensors()[0].dtype, Dtype::kF16);
  EXPECT_EQ(file.tensors()[0].shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(text_of(file.tensors()[0].data), "abcd");
  EXPECT_EQ(file.tensors()[1].name, "none");
  EXPECT_TRUE(file.tensors()[1].data.empty());
  EXPECT_EQ(text_of(file.find("b")->data), "efg");
  EXPECT_TRUE(file.find("scalar")->shape.empty());
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_EQ(file.metadata().at("made by"), "hand");
}

TEST(SafetensorsReader, AcceptsAnEmptyFile) {
  EXPECT_TRUE(SafetensorsFile::parse(file_of("{}"), "x").tensors().empty());
}

TEST(SafetensorsReader, KeepsItsViewsWhenMoved) {
  auto file = SafetensorsFile::parse(
      file_of(R"({"t":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})", "abcd"), "x");
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(text_of(moved.find("t")->data), "abcd");
}

TEST(SafetensorsReader, RefusesBadHeaders) {
  EXPECT_EQ(user_error([] { SafetensorsFile::parse(std::vector<std::byte>(7), "x.st"); }),
            "x.st: not a valid safetensors file: got 7 bytes, expected at least 8");
  auto cut = file_of("{}      ");
  cut.pop_back();
  EXPECT_THAT(user_error([&] { SafetensorsFile::parse(cut, "x"); }),
              HasSubstr("got a header of 8 bytes, expected at most 7"));
  EXPECT_THAT(
      user_error([] { SafetensorsFile::parse(std::vector<std::byte>(64, std::byte{0xff}), "x"); }),
      HasSubstr("header of 18446744073709551615 bytes, expected at most 56"));
  EXPECT_THAT(refusal(""), HasSubstr("expected '{'"));
  EXPECT_THAT(refusal("[]"), HasSubstr("expected '{'"));
  EXPECT_THAT(refusal(" {}"), HasSubstr("expected '{'"));
  EXPECT_THAT(refusal("{\"a\":"), HasSubstr("the header is no JSON"));
  EXPECT_THAT(refusal("{} x"), HasSubstr("the header is no JSON"));
  EXPECT_THAT(refusal("{\"\xff\":{}}"), HasSubstr("the header is no JSON"));
  EXPECT_THAT(refusal("{\"a\":1e999}"), HasSubstr("the header is no JSON"));
}

TEST(SafetensorsReader, RefusesHeadersAboveTheCap) {
  std::vector<std::byte> bytes = file_of("");
  const uint64_t length = 100'000'001;
  std::memcpy(bytes.data(), &length, 8);
  bytes.resize(8 + length, std::byte{' '});
  EXPECT_THAT(user_error([&] { SafetensorsFile::parse(std::move(bytes), "x"); }),
              HasSubstr("header of 100000001 bytes, expected at most 100000000"));
}

TEST(SafetensorsReader, RefusesDepth) {
  EXPECT_THAT(refusal("{\"t\":" + std::string(1'000'000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal_of_entry(R"({"dtype":"F32","shape":[[1]],"data_offsets":[0,4]})"),
              HasSubstr("nested too deeply"));
}

TEST(SafetensorsReader, RefusesRepeatedNames) {
  const std::string entry = R"("t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  EXPECT_THAT(refusal("{" + entry + "," + entry + "}", "abcd"),
              HasSubstr("the key \"t\" occurs twice"));
  EXPECT_THAT(refusal_of_entry(R"({"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]})"),
              HasSubstr("the key \"shape\" occurs twice"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"a":"1","a":"2"}})"), HasSubstr("occurs twice"));
}

TEST(SafetensorsReader, RefusesMetadataThatIsNotText) {
  EXPECT_THAT(refusal(R"({"__metadata__":[]})"), HasSubstr("got [], expected an object"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"a":1}})"),
              HasSubstr("__metadata__ 'a': got 1, expected a string"));
}

TEST(SafetensorsReader, RefusesEntriesOfAnotherForm) {
  for (const char* entry : {"1", "[]", "{}", R"({"dtype":"F32","shape":[1]})",
                            R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1})"}) {
    EXPECT_THAT(refusal_of_entry(entry),
                AllOf(HasSubstr("x.st: tensor 't': got "),
                      HasSubstr("expected an object of dtype, shape and data_offsets")));
  }
}

TEST(SafetensorsReader, RefusesUnknownTypes) {
  EXPECT_THAT(refusal_of_entry(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})"),
              AllOf(HasSubstr("tensor 't': got dtype \"F31\""), HasSubstr("F64, F32, F16, BF16")));
  EXPECT_THAT(refusal_of_entry(R"({"dtype":7,"shape":[1],"data_offsets":[0,4]})"),
              HasSubstr("got dtype 7"));
}

TEST(SafetensorsReader, RefusesImpossibleShapes) {
  for (const char* shape : {"[-1]", "[1.0]", "[\"1\"]", "3", "{}", "[9223372036854775808]",
                            "[123456789012345678901234567890]", "[true]"}) {
    EXPECT_THAT(refusal_of_entry(std::string(R"({"dtype":"F32","shape":)") + shape +
                                 R"(,"data_offsets":[0,4]})"),
                HasSubstr("expected a list of integers"))
        << shape;
  }
  // 2^62 * 4 bytes is 0 modulo 2^64.
  EXPECT_THAT(
      refusal_of_entry(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})"),
      HasSubstr("overflows 64 bits"));
  EXPECT_THAT(
      refusal_of_entry(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]})"),
      HasSubstr("overflows 64 bits"));
}

TEST(SafetensorsReader, RefusesOffsetsThatDoNotFit) {
  for (const char* offsets : {"[0]", "[0,4,8]", "[4,0]"}) {
    EXPECT_THAT(refusal_of_entry(std::string(R"({"dtype":"F32","shape":[1],"data_offsets":)") +
                                 offsets + "}"),
                HasSubstr("expected [begin, end]"));
  }
  EXPECT_THAT(refusal_of_entry(R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})"),
              HasSubstr("got data_offsets [-4,0]"));
  EXPECT_THAT(refusal_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})"),
              HasSubstr("its bytes end at 8, but the file has only 4"));
  EXPECT_EQ(refusal_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"),
            "x.st: tensor 't': got 4 bytes, expected 8 for F32 [2]");
}

TEST(SafetensorsReader, RefusesGapsOverlapsAndTrailingBytes) {
  const auto two = [](const char* a, const char* b) {
    return refusal(std::string(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)") + a +
                       R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}",
                   "abcdef");
  };
  EXPECT_THAT(two("[0,2]", "[1,3]"),
              HasSubstr("tensor 'b': its bytes begin at 1, expected 2: overlaps"));
  EXPECT_THAT(two("[0,2]", "[0,2]"), HasSubstr("overlaps"));
  EXPECT_THAT(two("[0,2]", "[3,5]"), HasSubstr("begin at 3, expected 2: there is a gap"));
  EXPECT_THAT(two("[1,3]", "[3,5]"), HasSubstr("tensor 'a': its bytes begin at 1, expected 0"));
  EXPECT_THAT(two("[0,2]", "[2,4]"), HasSubstr("2 bytes after the last tensor, expected 0"));
}

TEST(SafetensorsReader, NamesTheFile) {
  TempFolder folder;
  const std::string path = folder / "bad.safetensors";
  write_file_atomically(path, "not safetensors at all");
  EXPECT_THAT(user_error([&] { SafetensorsFile::open(path); }), HasSubstr(path + ": not a valid"));
  EXPECT_THAT(user_error([&] { SafetensorsFile::open(path + "x"); }), HasSubstr("No such file"));
}

class SafetensorsWriter : public ::testing::Test {
 protected:
  TensorRecord record(const std::string& name, Dtype dtype, std::vector<int64_t> shape,
                      size_t bytes) const {
    return {name, dtype, std::move(shape), std::span(pool_).first(bytes)};
  }
  TempFolder folder_;
  std::array<std::byte, 64> pool_{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
};

TEST_F(SafetensorsWriter, WritesTheseBytes) {
  write_safetensors(folder_ / "x",
                    {record("b", Dtype::kU8, {3}, 3), record("a", Dtype::kI16, {2, 1}, 4)},
                    {{"k", "v"}});
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"I16","shape":[2,1],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}})";
  ASSERT_EQ(header.size(), 133u);
  EXPECT_EQ(read_file(folder_ / "x"),
            std::string("\x88\0\0\0\0\0\0\0", 8) + header + std::string(3, ' ') + "\1\2\3\4\1\2\3");
}

TEST_F(SafetensorsWriter, GivesTheSameBytesForAnyOrder) {
  const auto a = record("a", Dtype::kF32, {1}, 4), b = record("b", Dtype::kF64, {1}, 8),
             c = record("c", Dtype::kF32, {2}, 8);
  write_safetensors(folder_ / "x", {a, b, c});
  write_safetensors(folder_ / "y", {c, a, b});
  EXPECT_EQ(read_file(folder_ / "x"), read_file(folder_ / "y"));
}

TEST_F(SafetensorsWriter, RoundTripsEveryTypeAndOddNames) {
  const std::vector<TensorRecord> tensors{
      record("f64", Dtype::kF64, {1}, 8),         record("f32", Dtype::kF32, {2}, 8),
      record("f16", Dtype::kF16, {1}, 2),         record("bf16", Dtype::kBF16, {3}, 6),
      record("i64", Dtype::kI64, {}, 8),          record("i32", Dtype::kI32, {1, 1}, 4),
      record("i16", Dtype::kI16, {1}, 2),         record("i8", Dtype::kI8, {5}, 5),
      record("u8", Dtype::kU8, {7}, 7),           record("bool", Dtype::kBool, {0, 3}, 0),
      record("\"q\" \n ö/..", Dtype::kU8, {1}, 1)};
  write_safetensors(folder_ / "x", tensors, {{"note", "a \"quoted\" ö"}});
  const auto file = SafetensorsFile::open(folder_ / "x");
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const TensorRecord& expected : tensors) {
    const TensorRecord* got = file.find(expected.name);
    ASSERT_NE(got, nullptr) << expected.name;
    EXPECT_EQ(got->dtype, expected.dtype);
    EXPECT_EQ(got->shape, expected.shape);
    EXPECT_EQ(text_of(got->data), text_of(expected.data));
  }
  EXPECT_EQ(file.metadata().at("note"), "a \"quoted\" ö");
}

TEST_F(SafetensorsWriter, RefusesRecordsThatDoNotFit) {
  const auto refused = [&](const std::vector<TensorRecord>& tensors) {
    EXPECT_THROW(write_safetensors(folder_ / "x", tensors), std::invalid_argument);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
  };
  refused({record("a", Dtype::kF32, {2}, 4)});
  refused({record("a", Dtype::kF32, {-1}, 4)});
  refused({record("__metadata__", Dtype::kF32, {1}, 4)});
  refused({record("a", Dtype::kF32, {1}, 4), record("a", Dtype::kU8, {1}, 1)});
}

}  // namespace
}  // namespace avbench::io
