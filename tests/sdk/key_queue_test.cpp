#include "avbench/key_queue.h"

#include <gtest/gtest.h>

#include <deque>

#include "sdk/loss_testing.h"

namespace avbench {
namespace {

// Unit vectors of the plane, told apart by their angle.
Tensor keys_at(const std::vector<double>& angles) {
  Matrix rows;
  for (const double angle : angles) rows.push_back({std::cos(angle), std::sin(angle)});
  return to_tensor(rows).to(at::kFloat);
}

std::vector<double> sorted_angles(const Tensor& keys) {
  std::vector<double> angles;
  for (const auto& row : to_matrix(keys)) angles.push_back(std::atan2(row[1], row[0]));
  std::sort(angles.begin(), angles.end());
  return angles;
}

void expect_angles(const KeyQueue& queue, std::vector<double> expected) {
  std::sort(expected.begin(), expected.end());
  const auto got = sorted_angles(queue.keys());
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6);
}

TEST(KeyQueue, HoldsRealKeysOnly) {
  KeyQueue queue(4, 2);
  EXPECT_EQ(queue.keys().sizes(), at::IntArrayRef({0, 2}));
  queue.enqueue(keys_at({0.1, 0.2}));
  expect_angles(queue, {0.1, 0.2});
}

TEST(KeyQueue, OverwritesOldestKeys) {
  KeyQueue queue(3, 2);
  queue.enqueue(keys_at({0.1, 0.2}));
  queue.enqueue(keys_at({0.3, 0.4}));
  expect_angles(queue, {0.2, 0.3, 0.4});
}

// Any batch size, also above the capacity, against a plain queue.
TEST(KeyQueue, IsAFirstInFirstOutQueueForEveryBatchSize) {
  for (const int64_t capacity : {1, 2, 5, 7}) {
    KeyQueue queue(capacity, 2);
    std::deque<double> reference;
    double angle = -1.5;
    for (const int size : {1, 3, 2, 5, 11, 4, 7, 1, 23, 6}) {
      std::vector<double> angles;
      for (int i = 0; i < size; ++i) angles.push_back(angle += 0.04);
      queue.enqueue(keys_at(angles));
      reference.insert(reference.end(), angles.begin(), angles.end());
      while (static_cast<int64_t>(reference.size()) > capacity) reference.pop_front();
      expect_angles(queue, {reference.begin(), reference.end()});
    }
  }
}

TEST(KeyQueue, NormalisesWhatItGets) {
  KeyQueue queue(4, 2);
  queue.enqueue(7 * keys_at({0.1, 0.2}));
  EXPECT_TRUE(at::allclose(queue.keys().norm(2, 1), at::ones({2})));
  queue.enqueue(at::zeros({1, 2}));  // stays zero: no direction
  EXPECT_TRUE(at::isfinite(queue.keys()).all().item<bool>());
}

TEST(KeyQueue, SeesWhatACheckpointPutsIntoItsBuffers) {
  KeyQueue full(4, 2), queue(4, 2);
  full.enqueue(keys_at({0.1, 0.2, 0.3, 0.4, 0.5}));
  for (const auto& buffer : queue.named_buffers()) {
    Tensor(buffer.value()).copy_(full.named_buffers()[buffer.key()]);
  }
  expect_angles(queue, {0.2, 0.3, 0.4, 0.5});
  Tensor(queue.named_buffers()["filled"]).fill_(1);
  queue.enqueue(keys_at({0.6}));
  EXPECT_EQ(queue.keys().size(0), 2);
}

TEST(KeyQueue, ChangesItsBuffersInPlaceAndHandsOutCopies) {
  KeyQueue queue(4, 2);
  const auto buffers = queue.named_buffers();
  queue.enqueue(keys_at({0.1, 0.2}));
  const Tensor keys = queue.keys(), seen = keys.clone();
  queue.enqueue(keys_at({0.3, 0.4, 0.5}));
  EXPECT_TRUE(keys.equal(seen));
  EXPECT_EQ(buffers["filled"].item<int64_t>(), 4);
  EXPECT_EQ(buffers["cursor"].item<int64_t>(), 1);
  EXPECT_TRUE(buffers["rows"].equal(queue.keys()));
}

TEST(KeyQueue, GivesNoGradient) {
  KeyQueue queue(4, 2);
  queue.enqueue(keys_at({0.1, 0.2}).requires_grad_());
  EXPECT_FALSE(queue.keys().requires_grad());
}

TEST(KeyQueue, ContinuesFromCopiedBuffers) {
  KeyQueue first(5, 2), second(5, 2);
  first.enqueue(keys_at({0.1, 0.2, 0.3, 0.4}));
  for (const auto& buffer : first.named_buffers()) {
    second.named_buffers()[buffer.key()].copy_(buffer.value());
  }
  first.enqueue(keys_at({0.5, 0.6}));
  second.enqueue(keys_at({0.5, 0.6}));
  EXPECT_TRUE(first.keys().equal(second.keys()));
}

TEST(KeyQueue, WorksInDoublePrecision) {
  KeyQueue queue(3, 2);
  queue.to(at::kDouble);
  queue.enqueue(keys_at({0.1, 0.2}).to(at::kDouble));
  queue.enqueue(keys_at({0.3, 0.4}).to(at::kDouble));
  EXPECT_EQ(queue.keys().scalar_type(), at::kDouble);
  expect_angles(queue, {0.2, 0.3, 0.4});
}

TEST(KeyQueue, RefusesKeysOfAnotherSize) {
  KeyQueue queue(4, 2);
  EXPECT_THROW(queue.enqueue(at::ones({3, 5})), c10::Error);
  EXPECT_THROW(queue.enqueue(at::ones({2})), c10::Error);
}

}  // namespace
}  // namespace avbench
