#!/usr/bin/env bash
# An installed avbench, moved to a folder with a space in its name: install_test.sh CASE BUILD LIBTORCH
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/testing.sh"
build=$2 libtorch=$3
prefix="$tmp/moved here"
unset LIBTORCH AVBENCH_PLUGIN_PATH
export AVBENCH_CACHE=$tmp/cache

install_and_move() {
  expect_exit 0 cmake --install "$build" --prefix "$tmp/first"
  mv "$tmp/first" "$prefix"
}

avbench() { "$prefix/bin/avbench" "$@"; }

configure_example() {  # CMAKE ARGUMENTS...
  [[ -d $tmp/example ]] || cp -r "$prefix/share/avbench/examples/plugin" "$tmp/example"
  cmake -G Ninja -S "$tmp/example" -B "$tmp/example/build" -DCMAKE_PREFIX_PATH="$prefix" "$@"
}

tree_can_be_moved() {
  install_and_move
  expect_file "$prefix/share/avbench/configs/quickstart.yaml"
  expect_file "$prefix/share/doc/avbench/LICENSE"
  expect_file "$prefix/share/doc/avbench/NOTICE"
  expect_exit 0 avbench methods --json
  expect_output "$prefix/lib/avbench/plugins/simclr.so"
  expect_exit 0 ldd "$prefix/lib/avbench/plugins/simclr.so"
  expect_output "libavbench.so => $prefix/lib/avbench/plugins/../../../lib/libavbench.so"
  expect_exit 1 grep -rlI -e "$project/framework" -e "$tmp/first" "$prefix"
}

plugin_is_built_outside_the_tree_and_trained() {
  install_and_move
  expect_exit 0 configure_example
  expect_exit 0 cmake --build "$tmp/example/build"
  export AVBENCH_PLUGIN_PATH=$tmp/example/build
  expect_exit 0 avbench methods --json
  expect_output "$tmp/example/build/margin.so"
  expect_exit 0 avbench bench step margin --width 2 --frames 2 --size 16 --min-time 0.01
  expect_exit 0 avbench dataset synth "$tmp/example/data" --classes 2 --train 8 --val 2 --test 2
  cd "$tmp/example"
  expect_exit 0 avbench compare margin.yaml --set protocol.pretrain.epochs=1 \
    --set protocol.pretrain.batch_size=4 --set protocol.finetune.epochs=1 \
    --set protocol.finetune.batch_size=4 --set protocol.data.label_fraction=1
  expect_output '| Margin '
}

libtorch_beside_the_tree_comes_first() {
  install_and_move
  mkdir -p "$prefix/lib/libtorch"
  ln -s "$libtorch" "$prefix/lib/libtorch/torch"
  [[ ! -d $libtorch/../nvidia ]] || ln -s "$libtorch/../nvidia" "$prefix/lib/libtorch/nvidia"
  expect_exit 0 ldd "$prefix/bin/avbench"
  expect_output "$prefix/bin/../lib/libtorch/torch/lib/libtorch_cpu.so"
  expect_exit 0 avbench methods
  expect_exit 0 configure_example
  expect_exit 0 grep lib/libtorch/torch/include "$tmp/example/build/build.ninja"
}

package_says_which_libtorch_it_needs() {
  install_and_move
  expect_exit 1 configure_example -DLIBTORCH="$tmp/nowhere"
  expect_output "'$tmp/nowhere' is no LibTorch"
  mkdir -p "$tmp/old/include/torch/headeronly" "$tmp/old/lib"
  touch "$tmp/old/lib/libtorch_cpu.so" "$tmp/old/lib/libc10.so"
  printf '#define TORCH_VERSION_%s\n' 'MAJOR 2' 'MINOR 4' 'PATCH 1' \
    >"$tmp/old/include/torch/headeronly/version.h"
  expect_exit 1 configure_example -DLIBTORCH="$tmp/old"
  expect_output 'got version 2.4.1'
  expect_output '-DLIBTORCH=DIR'
}

"$1"
