#include "plugin/embeddings.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <regex>

#include "io/error.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench::plugin {
namespace {

struct Dimension {
  char letter;
  int64_t more;  // "K+1": 1
};

std::vector<Dimension> parse_shape(const std::string& shape) {
  std::vector<Dimension> dimensions;
  if (shape.empty()) return dimensions;
  for (const std::string& part : io::split(shape, ',')) {
    dimensions.push_back({part.at(0), part.size() > 2 ? std::stoll(part.substr(2)) : 0});
  }
  return dimensions;
}

std::string shape_text(const Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const int64_t size : tensor.sizes()) sizes.push_back(std::to_string(size));
  return std::string("[") + io::join(sizes) + "]";
}

std::string declared_text(const MethodPlugin& plugin) {
  std::vector<std::string> tensors;
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    tensors.push_back(std::string(spec.name) + " [" + io::join(io::split(spec.shape, ',')) + "]");
  }
  return std::string("'") + plugin.name + "' takes " + io::join(tensors);
}

void check_range(const EmbeddingSpec& spec, const Tensor& tensor, const std::string& origin) {
  const Tensor outside = (tensor < spec.min).logical_or(tensor > spec.max);
  const int64_t count = outside.sum().item<int64_t>();
  if (count == 0) return;
  throw io::UserError(origin + ": tensor '" + spec.name + "': got " + std::to_string(count) +
                      " values outside its range, such as " +
                      std::to_string(tensor.masked_select(outside)[0].item<double>()) +
                      ", expected " + range_text(spec));
}

void check_values(const NamedTensors& tensors, const std::string& origin) {
  const auto& [first, first_tensor] = *tensors.begin();
  for (const auto& [name, tensor] : tensors) {
    const std::string where = origin + ": tensor '" + name + "': ";
    if (!tensor.is_floating_point()) {
      throw io::UserError(where + "got " + at::toString(tensor.scalar_type()) +
                          ", expected a floating-point type (F64, F32, F16, BF16)");
    }
    if (tensor.scalar_type() != first_tensor.scalar_type()) {
      throw io::UserError(where + "got " + at::toString(tensor.scalar_type()) + ", expected " +
                          at::toString(first_tensor.scalar_type()) + " as '" + first +
                          "': all tensors must have one type");
    }
    const int64_t bad = (~at::isfinite(tensor)).sum().item<int64_t>();
    if (bad > 0) {
      throw io::UserError(where + "got " + std::to_string(bad) +
                          " values that are NaN or infinite, expected finite numbers");
    }
  }
}

struct Size {
  int64_t value;
  std::string tensor;  // where the letter was met first
};

void check_shape(const EmbeddingSpec& spec, const Tensor& tensor, std::map<char, Size>& sizes,
                 const std::string& origin) {
  const std::string message = origin + ": tensor '" + spec.name + "': got shape " +
                              shape_text(tensor) + ", expected [" +
                              io::join(io::split(spec.shape, ',')) + "]";
  const std::vector<Dimension> dimensions = parse_shape(spec.shape);
  if (tensor.dim() != static_cast<int64_t>(dimensions.size())) throw io::UserError(message);
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const auto [letter, more] = dimensions[i];
    const int64_t value = tensor.size(static_cast<int64_t>(i)) - more;
    if (value < 1) throw io::UserError(message + " with " + letter + " at least 1");
    const auto [known, is_new] = sizes.try_emplace(letter, Size{value, spec.name});
    if (!is_new && known->second.value != value) {
      throw io::UserError(message + " with " + letter + " = " +
                          std::to_string(known->second.value) + " as in '" + known->second.tensor +
                          "'");
    }
  }
}

}  // namespace

bool is_symbolic_shape(const std::string& shape) {
  static const std::regex kPattern("([A-Z](\\+[0-9])?(,[A-Z](\\+[0-9])?)*)?");
  return std::regex_match(shape, kPattern);
}

std::string range_text(const EmbeddingSpec& spec) {
  const bool low = std::isfinite(spec.min), high = std::isfinite(spec.max);
  if (low && high) return fmt::format("from {} to {}", spec.min, spec.max);
  if (low) return fmt::format("at least {}", spec.min);
  return high ? fmt::format("at most {}", spec.max) : "";
}

Tensor as_declared(const EmbeddingSpec& spec, const Tensor& values) {
  const bool low = std::isfinite(spec.min), high = std::isfinite(spec.max);
  Tensor result = values;
  if (low && high) {
    result = spec.min + (spec.max - spec.min) * values.sigmoid();
  } else if (low) {
    result = spec.min + values.exp();
  } else if (high) {
    result = spec.max - values.exp();
  }
  if (!spec.unit_rows) return result;
  const Tensor norms = result.norm(2, {-1}, /*keepdim=*/true);
  const Tensor rows = at::where(norms == 0, at::ones_like(result), result);
  return rows / rows.norm(2, {-1}, /*keepdim=*/true);
}

std::vector<int64_t> embedding_sizes(const EmbeddingSpec& spec,
                                     const std::function<int64_t(char)>& size_of) {
  std::vector<int64_t> sizes;
  for (const auto& [letter, more] : parse_shape(spec.shape)) {
    sizes.push_back(size_of(letter) + more);
  }
  return sizes;
}

void check_embedding_names(const MethodPlugin& plugin, const NamedTensors& tensors,
                           const std::string& origin) {
  std::vector<std::string> known, missing, extra;
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    known.emplace_back(spec.name);
    if (tensors.count(spec.name) == 0) missing.emplace_back(spec.name);
  }
  for (const auto& [name, tensor] : tensors) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      extra.push_back(std::string("'") + name + "'" + io::did_you_mean(name, known));
    }
  }
  if (missing.empty() && extra.empty()) return;
  std::string message = origin + ": ";
  if (!missing.empty()) message += "missing tensors: " + io::join(missing) + "; ";
  if (!extra.empty()) message += "unknown tensors: " + io::join(extra) + "; ";
  throw io::UserError(message + declared_text(plugin));
}

void check_embeddings(const MethodPlugin& plugin, const NamedTensors& tensors,
                      const std::string& origin) {
  check_embedding_names(plugin, tensors, origin);
  std::map<char, Size> sizes;
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    check_shape(spec, tensors.at(spec.name), sizes, origin);
  }
  check_values(tensors, origin);
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    check_range(spec, tensors.at(spec.name), origin);
  }
}

}  // namespace avbench::plugin
