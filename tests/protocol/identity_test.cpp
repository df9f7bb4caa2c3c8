#include "protocol/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avbench {
namespace {

using testing::ElementsAre;

TEST(DifferingKeys, NamesChangedAddedAndRemovedKeys) {
  const Json before = {{"a", {{"b", 1}, {"c", "x"}}}, {"gone", true}, {"same", 2}};
  const Json after = {{"a", {{"b", 2}, {"c", "x"}}}, {"new", 0.5}, {"same", 2}};
  EXPECT_THAT(differing_keys(before, after),
              ElementsAre("a.b: 1 -> 2", "gone: true -> null", "new: null -> 0.5"));
}

TEST(DifferingKeys, FindsNothingInEqualObjects) {
  EXPECT_TRUE(differing_keys({{"a", 1}}, {{"a", 1}}).empty());
}

}  // namespace
}  // namespace avbench
