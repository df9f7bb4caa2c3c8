#include "train/non_finite.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace avbench::train {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NonFiniteRows, AreFoundInEveryPlaceAndShape) {
  EXPECT_THAT(non_finite_rows(at::ones({3, 2})), IsEmpty());
  EXPECT_THAT(non_finite_rows(at::full({2}, 3e38)), IsEmpty());
  EXPECT_THAT(non_finite_rows(at::tensor({1.0, std::nan(""), -INFINITY})), ElementsAre(1, 2));
  for (const double value : {std::nan(""), double{INFINITY}, -double{INFINITY}}) {
    for (int64_t place = 0; place < 24; ++place) {
      Tensor values = at::zeros({4, 3, 2});
      values.flatten()[place] = value;
      EXPECT_THAT(non_finite_rows(values), ElementsAre(place / 6));
    }
  }
}

TEST(NonFiniteRows, OfABatchAreThoseOfAnyView) {
  Batch batch;
  batch.video["base"] = at::zeros({4, 3, 2, 2, 2});
  batch.video["second"] = at::zeros({4, 3, 2, 2, 2});
  batch.audio["base"] = at::zeros({4, 1, 1, 2, 2});
  EXPECT_THAT(non_finite_rows(batch), IsEmpty());
  batch.video["second"][3][1][1][1][1] = std::nan("");
  batch.audio["base"][1][0][0][0][1] = std::nan("");
  EXPECT_THAT(non_finite_rows(batch), ElementsAre(1, 3));
}

TEST(FirstFew, CountsTheRest) {
  EXPECT_EQ(first_few({"a"}), "a");
  EXPECT_EQ(first_few({"a", "b", "c", "d", "e"}), "a, b, c, d, e");
  EXPECT_EQ(first_few({"a", "b", "c", "d", "e", "f", "g"}), "a, b, c, d, e and 2 more");
}

}  // namespace
}  // namespace avbench::train
