#include "avbench/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "io/message.h"

namespace avbench {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ParamSpec kSpecs[] = {
    number("temperature", 0.1, 0.001, 100, "softness"),
    integer("queue_size", 4096, 1, 1 << 20, "rows"),
    flag("split_bn", false, "batch norm in parts"),
    choice("alignment", "fused", "fused|towers", "what the loss sees"),
    list("layers", "pool", "conv3|conv4|pool", "where the loss applies"),
};

Params resolve(const std::vector<ParamInput>& inputs) {
  return Params::resolve("toy", kSpecs, inputs);
}

std::string refusal(const std::string& name, const std::string& text) {
  return io::user_error([&] { resolve({{name, text, "a.yaml:3"}}); });
}

TEST(Params, AreTheDefaultsWhereNothingIsGiven) {
  const Params params = resolve({});
  EXPECT_EQ(params.number("temperature"), 0.1);
  EXPECT_EQ(params.integer("queue_size"), 4096);
  EXPECT_FALSE(params.flag("split_bn"));
  EXPECT_EQ(params.choice("alignment"), "fused");
  EXPECT_THAT(params.list("layers"), ElementsAre("pool"));
}

TEST(Params, TakeTheLastOfRepeatedInputs) {
  const Params params = resolve({{"temperature", "0.2", "a.yaml:3"},
                                 {"temperature", " 1e-2 ", "--set temperature"},
                                 {"queue_size", "128", "a.yaml:4"},
                                 {"split_bn", "true", "a.yaml:5"},
                                 {"alignment", "towers", "a.yaml:6"},
                                 {"layers", "conv3, pool", "a.yaml:7"}});
  EXPECT_EQ(params.number("temperature"), 0.01);
  EXPECT_EQ(params.integer("queue_size"), 128);
  EXPECT_TRUE(params.flag("split_bn"));
  EXPECT_EQ(params.choice("alignment"), "towers");
  EXPECT_THAT(params.list("layers"), ElementsAre("conv3", "pool"));
}

TEST(Params, AcceptAnEmptyList) {
  EXPECT_THAT(resolve({{"layers", "", "a"}}).list("layers"), IsEmpty());
}

TEST(Params, RefuseUnknownNamesWithTheNearestAndAllKnown) {
  EXPECT_THAT(refusal("temprature", "1"),
              AllOf(HasSubstr("a.yaml:3"), HasSubstr("'toy'"), HasSubstr("'temprature'"),
                    HasSubstr("did you mean 'temperature'"), HasSubstr("split_bn")));
  EXPECT_THAT(io::user_error([] {
                Params::resolve("bare", {}, {{"x", "1", "--set x"}});
              }),
              HasSubstr("it has none"));
}

TEST(Params, RefuseAllMistakesAtOnce) {
  EXPECT_THAT(io::user_error([] {
                resolve({{"temperature", "0", "a.yaml:3"},
                         {"queue_size", "128", "a.yaml:4"},
                         {"split_bm", "true", "a.yaml:5"}});
              }),
              AllOf(HasSubstr("a.yaml:3: parameter 'temperature'"),
                    HasSubstr("\na.yaml:5: 'toy' has no parameter 'split_bm'"),
                    testing::Not(HasSubstr("a.yaml:4"))));
}

TEST(Params, RefuseWhatIsNotANumberInRange) {
  for (const char* text : {"", "abc", "0.1x", "1 2", "nan", "inf", "0", "-1", "100.5", "0x1"}) {
    EXPECT_THAT(refusal("temperature", text),
                AllOf(HasSubstr("a.yaml:3"), HasSubstr(std::string("got '") + text + "'"),
                      HasSubstr("a number from 0.001 to 100")));
  }
}

TEST(Params, RefuseWhatIsNotAnIntegerInRange) {
  for (const char* text : {"1.0", "1e3", "0", "1048577", "99999999999999999999", "ten"}) {
    EXPECT_THAT(refusal("queue_size", text), HasSubstr("an integer from 1 to 1048576"));
  }
}

TEST(Params, RefuseOtherFlagsThanTrueAndFalse) {
  for (const char* text : {"1", "yes", "True", ""}) {
    EXPECT_THAT(refusal("split_bn", text), HasSubstr("true or false"));
  }
}

TEST(Params, RefuseWordsThatAreNoChoice) {
  EXPECT_THAT(refusal("alignment", "tower"), HasSubstr("one of fused, towers"));
  EXPECT_THAT(refusal("alignment", ""), HasSubstr("one of fused, towers"));
  EXPECT_THAT(refusal("layers", "conv3,conv9"), HasSubstr("conv3, conv4, pool"));
  EXPECT_THAT(refusal("layers", "conv3,conv3"), HasSubstr("without repetition"));
  EXPECT_THAT(refusal("layers", "conv3,"), HasSubstr("comma-separated"));
}

TEST(Params, TreatUndeclaredNamesAndWrongTypesAsThePluginsBug) {
  const Params params = resolve({});
  EXPECT_THROW(params.number("tau"), std::logic_error);
  EXPECT_THROW(params.number("queue_size"), std::logic_error);
  constexpr ParamSpec kBad[] = {number("x", 5, 0, 1, "default out of range")};
  EXPECT_THROW(Params::resolve("bad", kBad, {}), std::logic_error);
}

}  // namespace
}  // namespace avbench
