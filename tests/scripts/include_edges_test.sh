#!/usr/bin/env bash
# Tests of scripts/include_edges.py on a small tree: "base" and, above it, "middle" and "top".
# bash include_edges_test.sh CASE
source "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
tree=$tmp/tree

component() {  # NAME INCLUDE [LINKS...]
  mkdir -p "$tree/framework/$1"
  printf '#pragma once\n%s\n' "$2" >"$tree/framework/$1/$1.h"
  echo "avbench_add_component($1 SOURCES $1.cpp PRIVATE ${*:3})  # (a comment)" \
    >"$tree/framework/$1/CMakeLists.txt"
}

make_tree() {
  component base '#include <png.h>' PNG::PNG
  component middle '#include "base/base.h"' avbench::base
  component top '#include "middle/middle.h"' avbench::middle
  mkdir -p "$tree/docs"
  printf 'foreach(component base middle top)\n  add_subdirectory(${component})\nendforeach()\n' \
    >"$tree/framework/CMakeLists.txt"
  printf '%s\n' '```mermaid' 'flowchart BT' '  middle --> base' '  top --> middle' '```' \
    '<!-- include edges: begin -->' '<!-- include edges: end -->' >"$tree/docs/architecture.md"
  check --write || true
}

check() { python3 "$project/scripts/include_edges.py" "$@" "$tree"; }

# Adds an include to a folder's header, in line 3, and expects a finding.
expect_refused() {  # FOLDER INCLUDE FINDING
  echo "#include $2" >>"$tree/framework/$1/$1.h"
  expect_exit 1 check
  expect_output "$3"
}

link() { echo "target_link_libraries(avbench_$1 PRIVATE $2)" >>"$tree/framework/$1/CMakeLists.txt"; }

accepts_what_is_linked() {
  expect_exit 0 check
  expect_no_output
}

names_file_line_edge_and_what_is_allowed() {
  expect_refused middle '"top/top.h"' \
    'framework/middle/middle.h:3: middle -> top (top/top.h): not allowed, middle may include middle, base'
}

reads_angle_brackets_and_refuses_relative_paths() {
  expect_refused base '<top/top.h>' 'base.h:3: base -> top'
  expect_refused base '"../top/top.h"' 'base.h:4: base -> ../top/top.h: include as "folder/file.h"'
}

refuses_what_plugins_cannot_see_in_the_sdk() {
  mkdir -p "$tree/framework/middle/include"
  mv "$tree/framework/middle/middle.h" "$tree/framework/middle/include/"
  expect_exit 1 check
  expect_output 'framework/middle/include/middle.h:2: middle -> base'
}

refuses_a_library_that_is_not_linked() {
  expect_refused top '<png.h>' 'top.h:3: top -> libpng (png.h): not allowed, top may include no library'
}

refuses_a_second_door() {
  link middle PNG::PNG
  expect_exit 1 check
  expect_output 'framework/middle/CMakeLists.txt:2: middle -> libpng: not allowed, this library has one door'
}

refuses_an_unknown_library() {
  expect_refused top '<zlib.h>' 'top.h:3: top -> zlib.h: of no folder and no known library'
}

refuses_a_link_against_the_order() {
  link base avbench::top
  expect_refused base '"top/top.h"' \
    'framework/base/CMakeLists.txt:2: base -> top: not allowed, top is not above base'
}

refuses_a_link_that_nothing_uses() {
  link top avbench::base
  expect_exit 1 check
  expect_output 'framework/top/CMakeLists.txt:2: top -> base: linked, but nothing of base is included'
}

refuses_a_table_that_says_something_else() {
  link top avbench::base
  echo '#include "base/base.h"' >>"$tree/framework/top/top.h"
  expect_exit 1 check
  expect_output 'docs/architecture.md: the table differs'
  expect_exit 0 check --write
  expect_exit 0 check
  grep -qF '| `top` | `base`, `middle` |' "$tree/docs/architecture.md" || die "no row of top"
}

finds_a_forbidden_edge_in_this_project() {
  rm -r "$tree"
  mkdir -p "$tree/docs"
  cp -r "$project/framework" "$tree"
  cp "$project/docs/architecture.md" "$tree/docs"
  expect_exit 0 check
  expect_refused io '"app/scratch.h"' "framework/io/io.h:1: io -> app (app/scratch.h): not allowed"
}

refuses_a_graph_that_says_something_else() {
  sed -i 's/  top --> middle/  top --> base/' "$tree/docs/architecture.md"
  expect_exit 1 check
  expect_output 'the graph has an arrow top --> base, which is no link'
  expect_output 'the graph lacks top --> middle, which top links'
}

refuses_a_namespace_of_another_folder() {
  printf 'namespace avbench::top::detail {\n}\nnamespace avbench::topmost {\n}\n' \
    >>"$tree/framework/top/top.h"
  expect_exit 1 check
  expect_output 'framework/top/top.h:5: namespace avbench::topmost: not allowed, the names of top belong in avbench::top'
  (($(wc -l <"$tmp/output") == 1)) || die "a finding about avbench::top::detail"
}

make_tree
"${1:?a case}"
