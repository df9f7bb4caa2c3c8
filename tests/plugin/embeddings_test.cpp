#include "plugin/embeddings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/message.h"

namespace avbench::plugin {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr EmbeddingSpec kSpecs[] = {{"query", "B,D"}, {"bank", "B,K+1,D", false}};
const MethodPlugin kToy = {.name = "toy", .embeddings = kSpecs};

NamedTensors audio() { return {{"query", at::ones({4, 3})}, {"bank", at::ones({4, 9, 3})}}; }

std::string refusal(const NamedTensors& tensors) {
  return io::user_error([&] { check_embeddings(kToy, tensors, "e.safetensors"); });
}

TEST(Embeddings, AreAcceptedAsDeclared) {
  EXPECT_NO_THROW(check_embeddings(kToy, audio(), "e.safetensors"));
}

TEST(Embeddings, HaveSizesByTheirLetters) {
  const auto size_of = [](char letter) {
    return letter == 'B' ? int64_t{4} : letter == 'K' ? int64_t{6} : int64_t{5};
  };
  EXPECT_EQ(embedding_sizes(kSpecs[0], size_of), (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(embedding_sizes(kSpecs[1], size_of), (std::vector<int64_t>{4, 7, 5}));
}

TEST(Embeddings, MustBeComplete) {
  NamedTensors tensors = audio();
  tensors.erase("bank");
  tensors["querry"] = at::ones({4, 3});
  EXPECT_THAT(refusal(tensors),
              AllOf(HasSubstr("e.safetensors"), HasSubstr("missing tensors: bank"),
                    HasSubstr("unknown tensors: 'querry' (did you mean 'query'?)"),
                    HasSubstr("'toy' takes query [B, D], bank [B, K+1, D]")));
  EXPECT_THAT(refusal({}), HasSubstr("missing tensors: query, bank"));
}

TEST(Embeddings, MustHaveTheDeclaredShape) {
  NamedTensors tensors = audio();
  tensors["query"] = at::ones({4});
  EXPECT_THAT(refusal(tensors),
              AllOf(HasSubstr("'query'"), HasSubstr("got shape [4], expected [B, D]")));
  tensors["query"] = at::ones({4, 5});
  EXPECT_THAT(refusal(tensors), HasSubstr("with D = 5 as in 'query'"));
  tensors = audio();
  tensors["bank"] = at::ones({4, 1, 3});
  EXPECT_THAT(refusal(tensors), HasSubstr("with K at least 1"));
}

TEST(Embeddings, MustBeFiniteNumbersOfOneType) {
  NamedTensors tensors = audio();
  tensors["query"][1][1] = NAN;
  EXPECT_THAT(refusal(tensors), HasSubstr("got 1 values that are NaN or infinite"));
  tensors["query"] = at::ones({4, 3}, at::kDouble);
  EXPECT_THAT(refusal(tensors), HasSubstr("one type"));
  tensors["query"] = at::ones({4, 3}, at::kLong);
  EXPECT_THAT(refusal(tensors), HasSubstr("floating-point"));
}

constexpr EmbeddingSpec kBounded[] = {
    {.name = "scores", .shape = "B", .min = -1, .max = 1},
    {.name = "constant", .shape = "", .differentiable = false, .min = 0.5},
    {.name = "rows", .shape = "B,D", .unit_rows = true},
    {.name = "below", .shape = "D", .max = -2}};
const MethodPlugin kBoundedToy = {.name = "bounded", .embeddings = kBounded};

TEST(Embeddings, MayBeScalarsAndHaveARange) {
  NamedTensors tensors = {{"scores", at::zeros({4})},
                          {"constant", at::ones({})},
                          {"rows", at::ones({4, 3})},
                          {"below", at::full({3}, -2.0)}};
  const auto refusal = [&] {
    return io::user_error([&] { check_embeddings(kBoundedToy, tensors, "e"); });
  };
  EXPECT_NO_THROW(check_embeddings(kBoundedToy, tensors, "e"));
  tensors["constant"] = at::full({}, 0.25);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("'constant'"), HasSubstr("such as 0.25"),
                               HasSubstr("expected at least 0.5")));
  tensors["constant"] = at::ones({1});
  EXPECT_THAT(refusal(), HasSubstr("got shape [1], expected []"));
  tensors["constant"] = at::ones({});
  tensors["scores"][2] = 1.5;
  EXPECT_THAT(refusal(), AllOf(HasSubstr("such as 1.5"), HasSubstr("expected from -1 to 1")));
}

TEST(Embeddings, AreMadeAsDeclared) {
  at::manual_seed(0);
  const auto size_of = [](char letter) { return letter == 'B' ? int64_t{4} : int64_t{3}; };
  for (const bool zero : {false, true}) {
    NamedTensors tensors;
    for (const EmbeddingSpec& spec : kBounded) {
      const Tensor values = 5 * at::randn(embedding_sizes(spec, size_of), at::kDouble);
      tensors[spec.name] = as_declared(spec, zero ? at::zeros_like(values) : values);
    }
    EXPECT_NO_THROW(check_embeddings(kBoundedToy, tensors, "made"));
    EXPECT_TRUE(at::allclose(tensors.at("rows").norm(2, {1}), at::ones({4}, at::kDouble)));
  }
}

TEST(NamedTensors, NameWhatThereIsWhereANameIsNot) {
  const NamedTensors tensors = {{"video", at::ones({1})}, {"audio", at::ones({1})}};
  try {
    tensors.at("vidoe");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(),
                 "no tensor named 'vidoe' (did you mean 'video'?); there are: audio, video");
  }
}

TEST(Embeddings, SpellShapesInCapitals) {
  for (const char* good : {"", "B", "B,D", "B,K+1,D"}) EXPECT_TRUE(is_symbolic_shape(good)) << good;
  for (const char* bad : {"b,d", "B,", ",", "BD", "B,K+", "B,4", "B D"}) {
    EXPECT_FALSE(is_symbolic_shape(bad)) << bad;
  }
}

}  // namespace
}  // namespace avbench::plugin
