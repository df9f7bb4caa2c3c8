#!/usr/bin/env bash
# The package guard against a small build of its own: one program that includes and links zlib.
source "$(dirname "${BASH_SOURCE[0]}")/testing.sh"

build_with_zlib() {
  mkdir -p "$tmp/build/bin"
  cat >"$tmp/build/main.cpp" <<<'#include <zlib.h>
int main() { return zlibVersion()[0] == 0; }'
  cat >"$tmp/build/build.ninja" <<'NINJA'
rule compile
  command = g++ -MD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
rule link
  command = g++ $in -o $out -lz
build main.o: compile main.cpp
build bin/main: link main.o
NINJA
  ninja -C "$tmp/build" >/dev/null
}

guard() {  # PACKAGE...
  printf '%s\n' '# a comment' "$@" >"$tmp/list"
  python3 "$here/package_guard.py" "$tmp/list" "$tmp/build"
}

accepts_a_list_whose_dependencies_hold_the_files() {
  build_with_zlib
  expect_exit 0 guard g++ libpng-dev  # libpng-dev depends on zlib1g-dev
}

names_the_file_and_package_that_a_list_lacks() {
  build_with_zlib
  expect_exit 1 guard g++
  expect_output /usr/include/zconf.h
  expect_output 'from zlib1g-dev'
}

names_a_file_that_no_package_holds() {
  build_with_zlib
  mkdir "$tmp/elsewhere"
  cp /usr/include/zlib.h "$tmp/elsewhere/"
  sed -i "s|<zlib.h>|\"$tmp/elsewhere/zlib.h\"|" "$tmp/build/main.cpp"
  ninja -C "$tmp/build" >/dev/null
  expect_exit 1 guard g++ zlib1g-dev
  expect_output "$tmp/elsewhere/zlib.h, from no package"
}

refuses_an_empty_build() {
  mkdir -p "$tmp/build"
  echo '# no rules' >"$tmp/build/build.ninja"
  expect_exit 1 guard g++
  expect_output 'nothing has been built'
}

"$1"
