// One list of fields for whatever is stored. A stored type is a plain struct with a fields() beside
// it, which writing and reading both visit, and which cannot forget a member:
//
//   struct Best {
//     int64_t epoch = -1;
//     double score = 0;
//   };
//   template <class V>
//   constexpr void fields(V& v, MaybeConst<Best> auto& b) {
//     v("epoch", b.epoch);
//     v("score", b.score);
//   }
//   static_assert(lists_every_field<Best>());
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace avbench::io {

// `C` is `T` or `const T`: one fields() serves writing and reading.
template <class C, class T>
concept MaybeConst = std::same_as<std::remove_const_t<C>, T>;

inline constexpr size_t kMostFields = 48;

namespace fields_detail {

// Stands for a value of any type. Never made.
struct AnyValue {
  template <class T>
  operator T() const {  // NOLINT(google-explicit-constructor): stands for a value of any type
    std::abort();
  }
};

template <size_t>
using AnyValueAt = AnyValue;

template <class T, class Indices>
inline constexpr bool kTakes = false;
template <class T, size_t... I>
requires requires { T{AnyValueAt<I>{}...}; }
inline constexpr bool kTakes<T, std::index_sequence<I...>> = true;

template <class T, size_t N>
consteval size_t most_values() {
  if constexpr (N == 0 || kTakes<T, std::make_index_sequence<N>>) {
    return N;
  } else {
    return most_values<T, N - 1>();
  }
}

// Storage whose members have addresses at compile time, without a T being made.
template <class T>
union Unmade {
  constexpr Unmade() : none() {}
  constexpr ~Unmade() {}
  char none;
  T value;
};
template <class T>
inline const Unmade<T> unmade;

// What fields() visits.
struct Visited {
  std::array<std::string_view, kMostFields + 1> names{};
  std::array<const void*, kMostFields + 1> members{};
  size_t count = 0;
  bool twice = false;

  template <class M>
  constexpr void operator()(const char* name, const M& member) {
    const void* address = std::addressof(member);
    for (size_t i = 0; i < count; ++i) twice |= names[i] == name || members[i] == address;
    names[count] = name;
    members[count++] = address;
  }
};

}  // namespace fields_detail

// Members of a struct without constructors and base classes: as many values as its braces take.
// An array is counted as one if it is a std::array; T[n] is not for stored types.
template <class T>
consteval size_t field_count() {
  static_assert(std::is_aggregate_v<T>, "a stored type is a plain struct");
  constexpr size_t count = fields_detail::most_values<T, kMostFields + 1>();
  static_assert(count <= kMostFields, "more members than kMostFields");
  return count;
}

// Whether fields() visits each member of T under a name of its own. A visitor is called with the
// name and the member.
template <class T>
consteval bool lists_every_field() {
  fields_detail::Visited visited;
  fields(visited, fields_detail::unmade<T>.value);
  return !visited.twice && visited.count == field_count<T>();
}

}  // namespace avbench::io
