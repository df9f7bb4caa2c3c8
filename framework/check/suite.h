// The conformance suite: what must hold for every method, measured on any plugin.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "check/property.h"

namespace avbench::check {

struct Result {
  Property property;
  CheckResult result;
};

// All properties in order, the first of which is that the plugin loads. A device other than the CPU
// adds those about it.
std::vector<Property> all_properties(c10::Device device = c10::kCPU);

// Throws UserError if the method refuses its parameters, as what they were set to makes no sense.
void refuse_bad_combination(const PluginUnderTest& plugin);

// Measures every property; one that throws is a failure, and the rest still runs. `report` is
// called after each.
std::vector<Result> run_suite(const PluginUnderTest& plugin,
                              const std::function<void(const Result&)>& report = {},
                              c10::Device device = c10::kCPU);

// For a plugin that could not be loaded: the first property has failed, the others are skipped.
std::vector<Result> refused_by_loader(const std::string& reason,
                                      const std::function<void(const Result&)>& report = {});

}  // namespace avbench::check
