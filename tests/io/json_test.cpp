#include "io/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace avbench {
namespace {

TEST(CanonicalJson, SortsKeysAndLeavesOutWhiteSpace) {
  EXPECT_EQ(canonical_json(Json::parse(R"({"b": [1, 2.5, null], "a": {"z": true, "Z": "x y"}})")),
            R"({"a":{"Z":"x y","z":true},"b":[1,2.5,null]})");
}

TEST(CanonicalJson, DoesNotDependOnOrderOfInsertion) {
  Json one, other;
  one["x"] = 1, one["a"] = 2;
  other["a"] = 2, other["x"] = 1;
  EXPECT_EQ(canonical_json(one), canonical_json(other));
}

TEST(CanonicalJson, WritesNumbersShortAndReadsThemBackEqual) {
  EXPECT_EQ(canonical_json(0.1), "0.1");
  EXPECT_EQ(canonical_json(5e-4), "0.0005");
  EXPECT_EQ(canonical_json(uint64_t{18446744073709551615u}), "18446744073709551615");
  for (const double value : {0.1 + 0.2, 1.0 / 3, 1e-300, 4294967295.0, 123456.789e100}) {
    EXPECT_EQ(std::stod(canonical_json(value)), value);
  }
}

TEST(CanonicalJson, RefusesNumbersThatJsonLacks) {
  EXPECT_THROW(canonical_json(std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
  EXPECT_THROW(canonical_json({{"a", {1.0, std::numeric_limits<double>::infinity()}}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace avbench
