#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avbench/sample_random.h"
#include "encoders/two_towers.h"
#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::StartsWith;

const Settings kSmall = {{"hidden_dim", "10"}, {"projector_dim", "4"}, {"queue_size", "16"}};

Settings with(Settings settings, const std::string& name, const std::string& text) {
  settings[name] = text;
  return settings;
}

Tensor golden_queue() {
  Matrix rows(8, std::vector<double>(6));
  for (int k = 0; k < 8; ++k) {
    for (int j = 0; j < 6; ++j) rows[k][j] = std::sin(1.1 * k + 0.9 * j + 0.2);
  }
  const Tensor q = to_tensor(rows);
  return q / q.norm(2, 1, true);
}

// Both directions alike, so that the mean is the published value of one.
NamedTensors golden(const Tensor& query, const Tensor& key) {
  return {{"query_video", query}, {"key_audio", key}, {"queue_audio", golden_queue()},
          {"query_audio", query}, {"key_video", key}, {"queue_video", golden_queue()}};
}

// lightly and solo-learn at the golden inputs.
TEST(Moco, MatchesPublishedLossesAndGradients) {
  struct Expected {
    const char* temperature;
    double loss, grad;
  };
  for (const Expected& expected : {Expected{"0.2", 2.9594121103, 5.2115536516},
                                   Expected{"0.07", 6.0245753861, 16.2791592061}}) {
    const Tensor query = golden_z1().requires_grad_(), key = golden_z2().requires_grad_();
    const Tensor total =
        pure_loss("moco", golden(query, key), {{"temperature", expected.temperature}}).total;
    EXPECT_NEAR(total.item<double>(), expected.loss, 1e-9);
    total.backward();
    EXPECT_NEAR(query.grad().abs().sum().item<double>(), expected.grad, 1e-8);
    EXPECT_FALSE(key.grad().defined());
  }
}

double naive_direction(const Matrix& query, const Matrix& key, const Matrix& queue,
                       double temperature) {
  double sum = 0;
  for (size_t i = 0; i < query.size(); ++i) {
    const double own = std::exp(naive_cosine(query[i], key[i]) / temperature);
    double all = own;
    for (const auto& other : queue) all += std::exp(naive_cosine(query[i], other) / temperature);
    sum -= std::log(own / all) / static_cast<double>(query.size());
  }
  return sum;
}

TEST(Moco, EqualsTheFormulaWrittenAsLoops) {
  const Tensor q_v = golden_z1(), q_a = golden_z2() + 0.3, k_v = golden_z2(), k_a = -golden_z1(),
               queue_v = golden_queue(), queue_a = golden_queue().flip(1);
  const double expected =
      (naive_direction(to_matrix(q_v), to_matrix(k_a), to_matrix(queue_a), 0.3) +
       naive_direction(to_matrix(q_a), to_matrix(k_v), to_matrix(queue_v), 0.3)) /
      2;
  const NamedTensors x = {{"query_video", q_v}, {"key_audio", k_a}, {"queue_audio", queue_a},
                          {"query_audio", q_a}, {"key_video", k_v}, {"queue_video", queue_v}};
  EXPECT_NEAR(pure_loss("moco", x, {{"temperature", "0.3"}}).total.item<double>(), expected, 1e-11);
}

TEST(Moco, MatchesOneQueryByHand) {
  // Own key 1, one key in the queue 0, at temperature 0.5; the other direction -1 and 0.
  const Tensor right = to_tensor({{1, 0}}), up = to_tensor({{0, 1}});
  const NamedTensors x = {{"query_video", 3 * right}, {"key_audio", right}, {"queue_audio", up},
                          {"query_audio", -right},    {"key_video", right}, {"queue_video", up}};
  const double expected = (std::log(1 + std::exp(-2.0)) + std::log(1 + std::exp(2.0))) / 2;
  EXPECT_NEAR(pure_loss("moco", x, {{"temperature", "0.5"}}).total.item<double>(), expected, 1e-14);
}

TEST(Moco, StopsTheGradientOfKeysAndQueue) {
  expect_property("gradient_matches_finite_differences", "moco");
}

TEST(Moco, IsFiniteOnZeroRowsAndAtSmallTemperatures) {
  const Tensor zero = at::zeros({4, 6}, at::kDouble).requires_grad_();
  for (const Tensor& key : {golden_z2(), at::zeros({4, 6}, at::kDouble)}) {
    const Tensor total = pure_loss("moco", golden(zero, key), {{"temperature", "0.001"}}).total;
    total.backward();
    EXPECT_TRUE(std::isfinite(total.item<double>()));
    EXPECT_TRUE(at::isfinite(zero.grad()).all().item<bool>());
  }
}

TEST(Moco, IsAProperMethod) {
  expect_gradients_everywhere("moco", kSmall);
  // Two samples are the suite's smallest batch: of eight in four processes.
  expect_a_proper_method("moco", with(kSmall, "split_bn", "2"));
}

TEST(Moco, TrainsEverythingButTheKeyEncoders) {
  const auto names = untrained_parameters(*bent_method("moco", kSmall));
  EXPECT_THAT(names, AllOf(testing::SizeIs(4 + 2 * 4), Each(StartsWith("key_"))));
}

TEST(Moco, HasNothingToContrastWithBeforeTheFirstKeys) {
  const auto method = bent_method("moco", kSmall);
  const Loss loss = loss_of(*method, batch_of_step(0));
  EXPECT_EQ(loss.inputs.at("queue_video").sizes(), at::IntArrayRef({0, 4}));
  EXPECT_EQ(loss.total.item<double>(), 0);
  loss.total.backward();
  EXPECT_EQ(method->named_parameters()["towers.video.weight"].grad().abs().sum().item<double>(), 0);
}

// 16 places, six keys a step: three steps overwrite the two oldest.
TEST(Moco, QueuesTheKeysOfEarlierStepsOnly) {
  const auto method = bent_method("moco", kSmall);
  std::vector<Tensor> keys;
  for (int64_t step = 0; step < 3; ++step) {
    const Loss loss = method->loss(batch_of_step(step), step_context(step));
    const int64_t expected = 6 * step;
    ASSERT_EQ(loss.inputs.at("queue_audio").size(0), expected);
    if (step > 0) {
      EXPECT_TRUE(at::allclose(loss.inputs.at("queue_audio"), at::cat(keys)));
      EXPECT_FALSE(at::allclose(loss.inputs.at("queue_video"), at::cat(keys)));
    }
    keys.push_back(loss.inputs.at("key_audio"));
    method->after_step(step_context(step));
  }
  const Loss loss = method->loss(batch_of_step(3), step_context(3));
  const Tensor all = at::cat(keys);  // 18 keys, the first two gone
  EXPECT_TRUE(at::allclose(loss.inputs.at("queue_audio"),
                           at::cat({all.slice(0, 16, 18), all.slice(0, 2, 16)})));
}

TEST(Moco, KeepsAnEvaluationsKeysOutOfTheQueue) {
  const auto method = bent_method("moco", kSmall);
  train_step(*method, 0);
  method->eval();
  method->loss(batch_of_step(1), step_context(1, /*training=*/false));
  method->after_step(step_context(1));
  EXPECT_EQ(method->named_buffers()["queue_video.filled"].item<int64_t>(), 6);
}

TEST(Moco, MovesTheKeyEncodersByTheMomentum) {
  const auto method = bent_method("moco", with(kSmall, "momentum", "0.75"));
  const auto parameters = method->named_parameters();
  for (const auto& [key, query] : {std::pair{"key_towers.audio.bias", "towers.audio.bias"},
                                   {"key_video.0.weight", "project_video.0.weight"},
                                   {"key_audio.2.bias", "project_audio.2.bias"}}) {
    const at::NoGradGuard no_grad;
    ASSERT_TRUE(parameters[key].equal(parameters[query]));
    parameters[query].add_(4);
    method->after_step(step_context());
    EXPECT_TRUE(at::allclose(parameters[key], parameters[query] - 3)) << key;
    parameters[key].copy_(parameters[query]);
  }
}

// Without batch norm a key is its sample's alone, however the batch is split.
TEST(MocoSplitBn, RestoresTheOrderOfTheBatch) {
  const auto whole = bent_method("moco", kSmall);
  const auto split = bent_method("moco", with(kSmall, "split_bn", "4"));
  const Batch batch = batch_of_step(0);
  const Tensor expected = loss_of(*whole, batch).inputs.at("key_audio");
  EXPECT_TRUE(at::allclose(loss_of(*split, batch).inputs.at("key_audio"), expected, 1e-5, 1e-6));
}

TEST(MocoSplitBn, NormalisesEachPartApartInAShuffledOrder) {
  const auto make = [](const char* parts) {
    return make_method_on(encoders::make_towers({.name = config::Backbone::kR3d, .width = 2}, 3),
                          "moco", with(kSmall, "split_bn", parts));
  };
  at::manual_seed(1);
  const Batch batch = {{{kBaseView, at::rand({6, 3, 2, 16, 16})}},
                       {{kBaseView, at::rand({6, 3, 1, 16, 16})}},
                       at::arange(6)};
  const Tensor keys = make("2")->loss(batch, step_context(5)).inputs.at("key_video");
  const Tensor order =
      sample_integers(step_context(5), batch.index, "split_bn", 1, INT64_MAX).squeeze(1).argsort();
  EXPECT_FALSE(order.equal(at::arange(6)));
  for (const Tensor& rows : order.tensor_split(2)) {
    const Tensor part =
        make("1")->loss(select_rows(batch, rows), step_context(5)).inputs.at("key_video");
    EXPECT_TRUE(at::allclose(keys.index_select(0, rows), part, 1e-4, 1e-5));
  }
  const Tensor whole = make("1")->loss(batch, step_context(5)).inputs.at("key_video");
  EXPECT_FALSE(at::allclose(keys, whole, 1e-3, 1e-3));
}

// A process of two, the other of which has the same samples.
class TwinGroup : public Communicator {
 public:
  int size() const override { return 2; }
  Tensor all_gather(const Tensor& rows) override { return at::cat({rows, rows}); }
};

TEST(Moco, RefusesAQueueSmallerThanTheBatch) {
  const auto method = bent_method("moco", with(kSmall, "queue_size", "5"));
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch_of_step(0)); }),
              HasSubstr("got queue_size 5 for a batch of 6, expected at least 6"));
  const auto exact = bent_method("moco", with(kSmall, "queue_size", "6"));
  train_step(*exact, 0);
  TwinGroup twins;  // twelve keys a step
  EXPECT_THAT(io::user_error([&] { exact->loss(batch_of_step(1), step_context(1, true, twins)); }),
              HasSubstr("for a batch of 12"));
}

TEST(Moco, RefusesMorePartsThanSamples) {
  const auto method = bent_method("moco", with(kSmall, "split_bn", "7"));
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch_of_step(0)); }),
              HasSubstr("got split_bn 7 for a batch of 6"));
}

}  // namespace
}  // namespace avbench
