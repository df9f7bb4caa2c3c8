#include "io/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "io/json_fields.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// ---- counting -----------------------------------------------------------------------------------

enum class Colour { kRed, kGreen };

struct Empty {};
struct One {
  double a;
};
struct Inner {
  int64_t number = 1;
  std::string text = "x";
  bool operator==(const Inner&) const = default;
};
// Everything that could be taken for several members or for none.
struct Mixed {
  bool flag = true;
  std::array<int64_t, 3> three{};
  std::array<Inner, 2> inners{};
  std::optional<double> maybe;
  std::optional<Inner> maybe_inner;
  std::string text;
  std::filesystem::path path;
  std::vector<double> numbers;
  std::vector<Inner> list;
  std::map<std::string, int64_t> map;
  std::pair<double, int64_t> pair;
  Inner inner;
  Json json;
  Colour colour = Colour::kRed;
  float last = 0;
};
struct NotDefault {
  const int64_t& number;
  Colour colour;
};

static_assert(field_count<Empty>() == 0);
static_assert(field_count<One>() == 1);
static_assert(field_count<Inner>() == 2);
static_assert(field_count<Mixed>() == 15);
static_assert(field_count<NotDefault>() == 2);

// ---- the guard ----------------------------------------------------------------------------------

struct Whole {
  Inner inner;
  Json json;
};
template <class V>
constexpr void fields(V& v, MaybeConst<Whole> auto& w) {
  v("inner", w.inner);
  v("json", w.json);
}
static_assert(lists_every_field<Whole>());

struct Forgotten {
  int64_t a = 0;
  std::string b;
  std::optional<double> c;
};
template <class V>
constexpr void fields(V& v, MaybeConst<Forgotten> auto& f) {
  v("a", f.a);
  v("c", f.c);
}
static_assert(!lists_every_field<Forgotten>());

// As many as there are, but one of them twice.
struct Repeated {
  int64_t a = 0, b = 0;
};
template <class V>
constexpr void fields(V& v, MaybeConst<Repeated> auto& r) {
  v("a", r.a);
  v("b", r.a);
}
static_assert(!lists_every_field<Repeated>());

struct OneName {
  int64_t a = 0, b = 0;
};
template <class V>
constexpr void fields(V& v, MaybeConst<OneName> auto& o) {
  v("a", o.a);
  v("a", o.b);
}
static_assert(!lists_every_field<OneName>());

// ---- JSON ---------------------------------------------------------------------------------------

template <class V>
constexpr void fields(V& v, MaybeConst<Inner> auto& i) {
  v("number", i.number);
  v("text", i.text);
}

struct Stored {
  bool flag = false;
  int64_t small = 0;
  uint64_t large = 0;
  double share = 0;
  std::string text;
  Json any;
  std::optional<double> some, none = 1;
  std::vector<std::string> words;
  std::vector<Inner> list;
  Inner inner;
  bool operator==(const Stored&) const = default;
};
template <class V>
constexpr void fields(V& v, MaybeConst<Stored> auto& s) {
  v("flag", s.flag);
  v("small", s.small);
  v("large", s.large);
  v("share", s.share);
  v("text", s.text);
  v("any", s.any);
  v("some", s.some);
  v("none", s.none);
  v("words", s.words);
  v("list", s.list);
  v("inner", s.inner);
}

// No field as it is by default.
Stored changed() {
  return {.flag = true,
          .small = std::numeric_limits<int64_t>::min(),
          .large = std::numeric_limits<uint64_t>::max(),
          .share = 0.1 + 0.2,
          .text = "\u00e9 \"quoted\"\n",
          .any = {{"a", {1, nullptr, 2.5}}},
          .some = -0.25,
          .none = std::nullopt,
          .words = {"x", ""},
          .list = {{2, "two"}, {-3, ""}},
          .inner = {7, "seven"}};
}

Stored through_a_file(const Stored& stored) {
  const TempFolder folder;
  write_json(folder / "x.json", write_fields(stored));
  return read_fields<Stored>(read_json(folder / "x.json"), "x.json");
}

TEST(JsonFields, EveryFieldComesBack) {
  EXPECT_EQ(through_a_file(changed()), changed());
  EXPECT_EQ(through_a_file({}), Stored());
}

TEST(JsonFields, NumbersComeBackBitEqual) {
  for (const double value :
       {0.1, 1.0 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 3.0, -0.0, 123456.789e100}) {
    const double got = through_a_file({.share = value}).share;
    EXPECT_EQ(got, value);
    EXPECT_EQ(std::signbit(got), std::signbit(value));
  }
}

TEST(JsonFields, KeysAreTheNamesOfTheList) {
  EXPECT_EQ(write_fields(Inner{4, "four"}), Json::parse(R"({"number": 4, "text": "four"})"));
  EXPECT_EQ(write_fields(changed())["none"], Json());
}

TEST(JsonFields, AMissingKeyIsNamedAndNeverADefault) {
  const Json whole = write_fields(changed());
  for (const auto& [key, value] : whole.items()) {
    Json less = whole;
    less.erase(key);
    EXPECT_THAT(user_error([&] { read_fields<Stored>(less, "a/x.json"); }),
                AllOf(HasSubstr("a/x.json: "), HasSubstr("key '" + key + "' is missing")));
  }
  Json less = whole;
  less["list"][1].erase("text");
  EXPECT_THAT(user_error([&] { read_fields<Stored>(less, "x"); }),
              HasSubstr("key 'list[1].text' is missing"));
}

TEST(JsonFields, AValueOfAnotherTypeIsNamedWithGotAndExpected) {
  const auto refused = [](const char* key, const Json& value) {
    Json json = write_fields(changed());
    json[key] = value;
    return user_error([&] { read_fields<Stored>(json, "a/x.json"); });
  };
  EXPECT_EQ(refused("flag", 1), "a/x.json: key 'flag': got 1, expected true or false");
  EXPECT_EQ(refused("small", 1.5), "a/x.json: key 'small': got 1.5, expected an integer");
  EXPECT_THAT(refused("small", uint64_t{1} << 63), HasSubstr("expected an integer"));
  EXPECT_THAT(refused("large", -1), HasSubstr("got -1, expected an integer from 0"));
  EXPECT_THAT(refused("large", "1"), HasSubstr("got \"1\""));
  EXPECT_THAT(refused("share", Json()), HasSubstr("key 'share': got null, expected a number"));
  EXPECT_THAT(refused("some", "x"), HasSubstr("key 'some': got \"x\", expected a number"));
  EXPECT_THAT(refused("text", 1), HasSubstr("expected text"));
  EXPECT_THAT(refused("words", {"x", 2}), HasSubstr("key 'words[1]': got 2, expected text"));
  EXPECT_THAT(refused("words", "x"), HasSubstr("expected a list"));
  EXPECT_THAT(refused("inner", 5), HasSubstr("key 'inner': got 5, expected an object"));
  EXPECT_EQ(user_error([] { read_fields<Stored>(Json::array(), "x"); }),
            "x: got [], expected an object");
}

TEST(JsonFields, AWholeNumberIsANumber) {
  Json json = write_fields(changed());
  json["share"] = 3;
  EXPECT_EQ(read_fields<Stored>(json, "x").share, 3.0);
}

TEST(JsonFields, KeysOfALaterVersionArePassedOver) {
  Json more = write_fields(changed());
  more["new"] = 1;
  EXPECT_EQ(read_fields<Stored>(more, "x"), changed());
}

TEST(JsonFields, ANumberThatJsonLacksIsRefusedBeforeItIsWritten) {
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT([&] { write_fields(Stored{.share = value}); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr("share is ")));
    EXPECT_THROW(write_fields(Stored{.some = value}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace avbench::io
