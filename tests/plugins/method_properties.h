// What must hold of any method, measured by the conformance suite with the parameters of a test.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "check/suite.h"
#include "plugins/method_testing.h"

namespace avbench {

// The suite's property of that name holds, or cannot be measured on this method.
inline void expect_property(const std::string& property, const std::string& name,
                            const Settings& settings = {}) {
  const plugin::LoadedPlugin& plugin = loaded_plugin(name);
  for (const check::Property& known : check::all_properties()) {
    if (known.name != property) continue;
    const check::CheckResult result =
        known.measure({{plugin, params_of(*plugin.record, settings)}});
    EXPECT_NE(result.status, check::Status::kFailed)
        << name << ", " << property << ": " << result.text;
    return;
  }
  ADD_FAILURE() << "the suite has no property " << property;
}

// Those that parameters can break: what is drawn, kept from step to step, gathered, or shown as the
// loss's inputs. It takes seconds, and tests/check measures all properties with every method's
// defaults: meant for parameters that make another method of it.
inline void expect_a_proper_method(const std::string& name, const Settings& settings) {
  for (const char* property :
       {"loss_equals_pure_loss", "inputs_match_declaration", "unit_rows_are_unit",
        "gradient_stops_where_declared", "permutation_leaves_loss", "processes_equal_one",
        "evaluation_changes_no_state", "checkpoint_round_trip"}) {
    expect_property(property, name, settings);
  }
  expect_gradients_everywhere(name, settings);
}

// The same for the same seed of the towers.
inline std::shared_ptr<Method> bent_method(const std::string& name, const Settings& settings,
                                           uint64_t seed = 3) {
  at::manual_seed(seed);
  return make_method_on(std::make_shared<FakeTowers>(kInputs, 8, /*bent=*/true), name, settings);
}

// Teachers: parameters that are registered, follow others, and are in no group.
inline std::set<std::string> untrained_parameters(Method& method) {
  std::set<const void*> trained;
  for (const ParamGroup& group : method.param_groups(Stage::kPretrain)) {
    for (const Tensor& parameter : group.parameters) {
      EXPECT_TRUE(parameter.requires_grad());
      trained.insert(parameter.unsafeGetTensorImpl());
    }
  }
  std::set<std::string> names;
  for (const auto& item : method.named_parameters()) {
    if (trained.contains(item.value().unsafeGetTensorImpl())) continue;
    EXPECT_FALSE(item.value().requires_grad()) << item.key();
    names.insert(item.key());
  }
  return names;
}

}  // namespace avbench
