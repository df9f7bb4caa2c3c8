#include "check/check_result.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "check/property.h"

namespace avbench::check {
namespace {

template <class F>
std::string message_thrown_by(F call) {
  try {
    call();
  } catch (...) {
    return message_of(std::current_exception());
  }
  return "nothing was thrown";
}

TEST(CheckResult, IsOkUpToItsLimitAndNeverForNan) {
  EXPECT_EQ(within("error", 1e-6, 1e-6).status, Status::kOk);
  EXPECT_EQ(within("error", 1.1e-6, 1e-6).status, Status::kFailed);
  EXPECT_EQ(within("error", std::nan(""), 1e-6).status, Status::kFailed);
  EXPECT_EQ(within("error", 3.14e-9, 1e-6).text, "error 3.1e-09 (limit 1e-06)");
}

TEST(CheckResult, TellsWhatWasThrownOnOneLineWithoutABacktrace) {
  const std::string torch = message_thrown_by([] { TORCH_CHECK(false, "got 3\nexpected 4"); });
  EXPECT_EQ(torch, "got 3 expected 4");
  EXPECT_EQ(message_thrown_by([] { throw std::runtime_error("a\nb"); }), "a b");
  EXPECT_THAT(message_thrown_by([] { throw 3; }), testing::HasSubstr("no std::exception"));
}

TEST(Metrics, KeepWhatIsNotANumber) {
  const double nan = std::nan("");
  EXPECT_TRUE(std::isnan(larger(1, nan)));
  EXPECT_TRUE(std::isnan(larger(nan, 1)));
  EXPECT_EQ(larger(1, 2), 2);
  const at::Tensor ones = at::ones({2}), bad = at::full({2}, nan);
  EXPECT_TRUE(std::isnan(relative_difference(bad, ones)));
  EXPECT_TRUE(std::isnan(relative_difference(ones, bad)));
}

TEST(Metrics, AreRelativeToTheLargestExpectedValue) {
  const at::Tensor expected = at::tensor({-4.0, 1.0}), got = at::tensor({-4.0, 2.0});
  EXPECT_DOUBLE_EQ(relative_difference(got, expected), 0.25);
  EXPECT_EQ(relative_difference(at::zeros({2}), at::zeros({2})), 0);
  EXPECT_TRUE(std::isinf(relative_difference(at::ones({2}), at::zeros({2}))));
}

}  // namespace
}  // namespace avbench::check
