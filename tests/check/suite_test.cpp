#include "check/suite.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/message.h"
#include "plugin/registry.h"

namespace avbench::check {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PluginUnderTest subject_of(const plugin::LoadedPlugin& plugin, const std::string& fault = "") {
  std::vector<ParamInput> inputs;
  if (!fault.empty()) inputs.push_back({"fault", fault, "test"});
  const MethodPlugin& record = *plugin.record;
  return {plugin, Params::resolve(record.name, record.params, inputs)};
}

PluginUnderTest fixture(const std::string& name, const std::string& fault = "") {
  return subject_of(plugin::load_plugin(fs::path(WRONG_METHODS) / (name + ".so")), fault);
}

std::vector<std::string> names_of(const std::vector<Result>& results, Status status) {
  std::vector<std::string> names;
  for (const auto& [property, result] : results) {
    if (result.status == status) names.emplace_back(property.name);
  }
  return names;
}

std::string told(const std::vector<Result>& results) {
  std::string text;
  for (const auto& [property, result] : results) {
    if (result.status == Status::kOk) continue;
    text += std::string(property.name) + ": " + result.text + "\n";
  }
  return text;
}

std::string text_of(const std::vector<Result>& results, const std::string& name) {
  for (const auto& [property, result] : results) {
    if (property.name == name) return result.text;
  }
  return "";
}

void expect_conforming(const PluginUnderTest& plugin) {
  const auto results = run_suite(plugin);
  EXPECT_THAT(names_of(results, Status::kFailed), IsEmpty()) << plugin.record().name << "\n"
                                                             << told(results);
  EXPECT_EQ(results.size(), all_properties().size());
}

TEST(Suite, HasPropertiesOfDistinctNamesWithASummary) {
  std::vector<std::string> names;
  for (const Property& property : all_properties()) {
    EXPECT_STRNE(property.summary, "");
    names.emplace_back(property.name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Suite, FindsEveryPluginBesideTheProgram) {
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  EXPECT_THAT(registry.problems(), IsEmpty());
  EXPECT_GE(registry.plugins().size(), 2u);
}

std::vector<std::string> methods_beside_the_program() {
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  std::vector<std::string> names;
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    names.emplace_back(plugin.record->name);
  }
  return names;
}

class EveryMethod : public testing::TestWithParam<std::string> {};

TEST_P(EveryMethod, Conforms) {
  expect_conforming(subject_of(plugin::PluginRegistry::discover().find(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Found, EveryMethod, testing::ValuesIn(methods_beside_the_program()),
                         [](const auto& test) { return test.param; });

TEST(Suite, HoldsForTheExampleOutsideTheTree) { expect_conforming(fixture("margin_ranking")); }

TEST(Suite, HoldsForAMethodWithTeacherQueueAndRandomness) {
  const auto results = run_suite(fixture("wrong", "none"));
  EXPECT_THAT(names_of(results, Status::kFailed), IsEmpty()) << told(results);
  EXPECT_THAT(names_of(results, Status::kSkipped), IsEmpty()) << told(results);
}

struct Fault {
  const char *fault, *property;

  friend std::ostream& operator<<(std::ostream& out, const Fault& fault) {
    return out << fault.fault;
  }
};

class WrongMethod : public testing::TestWithParam<Fault> {};

TEST_P(WrongMethod, IsCaughtByExactlyTheOnePropertyMeantForIt) {
  const auto results = run_suite(fixture("wrong", GetParam().fault));
  EXPECT_THAT(names_of(results, Status::kFailed), ElementsAre(GetParam().property))
      << told(results);
  EXPECT_THAT(names_of(results, Status::kSkipped), IsEmpty()) << told(results);
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongMethod,
    testing::Values(Fault{"gradient_through_teacher", "gradient_stops_where_declared"},
                    Fault{"parts_attached", "parts_are_detached"},
                    Fault{"hidden_state", "checkpoint_round_trip"},
                    Fault{"order_dependent", "permutation_leaves_loss"},
                    Fault{"queue_not_normalised", "unit_rows_are_unit"},
                    Fault{"global_random", "random_only_from_context"},
                    Fault{"state_changed_in_evaluation", "evaluation_changes_no_state"},
                    Fault{"local_gradient", "processes_equal_one"},
                    Fault{"local_statistics", "processes_equal_one"},
                    Fault{"wrong_gradient", "gradient_matches_finite_differences"},
                    Fault{"nan_at_zero", "finite_on_degenerate_embeddings"},
                    Fault{"nan_for_silence", "finite_on_degenerate_clips"},
                    Fault{"nan_for_one_sample", "batch_of_one"},
                    Fault{"unused_parameter", "trained_parameters_get_gradients"},
                    Fault{"other_loss", "loss_equals_pure_loss"},
                    Fault{"repeated_inputs", "inputs_match_declaration"},
                    Fault{"vector_total", "total_is_scalar"},
                    Fault{"one_sided_fusion", "fuse_gives_rows"},
                    Fault{"two_spaces", "embed_gives_one_space"},
                    Fault{"views_make_tensors", "describing_constructs_nothing"}),
    [](const auto& test) { return std::string(test.param.fault); });

// Never trained and never saved. The suite cannot convert it either.
TEST(Suite, NamesAHeadThatIsNotRegistered) {
  const auto results = run_suite(fixture("wrong", "unregistered_head"));
  EXPECT_THAT(names_of(results, Status::kFailed),
              ElementsAre("gradient_stops_where_declared", "checkpoint_round_trip"))
      << told(results);
  EXPECT_THAT(text_of(results, "gradient_stops_where_declared"),
              AllOf(HasSubstr("a tensor of shape [6, 16] is not registered"),
                    HasSubstr("a tensor of shape [6] is not registered")));
  EXPECT_THAT(text_of(results, "checkpoint_round_trip"), HasSubstr("every module"));
  EXPECT_THAT(text_of(results, "finite_in_float64"),
              HasSubstr("is not registered, and stays in float32"));
}

TEST(Suite, NamesTheParameterThatStandsInTwoGroups) {
  const auto results = run_suite(fixture("wrong", "two_groups"));
  EXPECT_THAT(text_of(results, "groups_hold_parameters_once"),
              HasSubstr("student_audio.weight stands in two groups"));
}

TEST(Suite, GoesOnWhenAPropertyThrows) {
  const auto results = run_suite(fixture("wrong", "throws"));
  EXPECT_EQ(results.size(), all_properties().size());
  EXPECT_EQ(text_of(results, "total_is_scalar"), "threw: the plugin's own words");
  EXPECT_EQ(text_of(results, "processes_equal_one"), "threw the same as total_is_scalar");
  EXPECT_THAT(names_of(results, Status::kFailed), ElementsAre("total_is_scalar"));
  EXPECT_THAT(names_of(results, Status::kOk), testing::Contains("fuse_gives_rows"));
}

TEST(Suite, SurvivesPluginsThatFailInTheirFunctions) {
  const plugin::LoadedPlugin plugin =
      plugin::load_plugin(fs::path(BAD_PLUGINS) / "misbehaving" / "misbehaving.so");
  for (const char* fault : {"views_throw", "create_checks", "create_throws", "create_gives_null",
                            "loss_throws", "loss_gives_nothing", "loss_gives_rows"}) {
    SCOPED_TRACE(fault);
    const auto results = run_suite(subject_of(plugin, fault));
    EXPECT_EQ(results.size(), all_properties().size());
    const bool in_views = std::string(fault) == "views_throw";
    EXPECT_THAT(names_of(results, Status::kFailed),
                testing::Contains(in_views ? "describing_constructs_nothing" : "total_is_scalar"));
  }
}

TEST(Suite, SkipsAllButTheFirstForAPluginThatWasRefused) {
  const auto results = refused_by_loader("another ABI");
  EXPECT_THAT(names_of(results, Status::kFailed), ElementsAre("loads"));
  EXPECT_EQ(names_of(results, Status::kSkipped).size(), results.size() - 1);
}

}  // namespace
}  // namespace avbench::check
