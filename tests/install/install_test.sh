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
  expect_file "$prefix/share/doc/avbench/docs/adding_a_method.md"
  expect_exit 0 avbench methods --json
  expect_output "$prefix/lib/avbench/plugins/simclr.so"
  expect_exit 0 ldd "$prefix/lib/avbench/plugins/simclr.so"
  expect_output "libavbench.so => $prefix/lib/avbench/plugins/../../../lib/libavbench.so"
  expect_exit 1 grep -rlI -e "$project/framework" -e "$tmp/first" "$prefix"
}

# The commands that new-method prints, at the smallest scale.
new_method_is_built_checked_and_compared() {
  install_and_move
  local project="$tmp/my project"
  expect_exit 0 avbench new-method my_loss "$project"
  expect_output "-DCMAKE_PREFIX_PATH='$prefix'"
  (($(wc -l <"$project/my_loss.cpp") < 100)) || die "the source has 100 lines or more"
  write_golden "$project" 3
  expect_exit 0 cmake -G Ninja -S "$project" -B "$project/build" -DCMAKE_PREFIX_PATH="$prefix"
  expect_exit 0 cmake --build "$project/build"
  expect_exit 0 ctest --test-dir "$project/build" --output-on-failure
  expect_output '100% tests passed, 0 tests failed out of 3'
  write_golden "$project" 3.5
  expect_exit 0 cmake "$project/build"
  expect_exit 8 ctest --test-dir "$project/build" --output-on-failure -R golden
  expect_output 'got total 3, expected 3.5'
  expect_output '1 tests failed out of 1'
  export AVBENCH_PLUGIN_PATH=$project/build
  expect_exit 0 avbench methods --json
  expect_output "$project/build/my_loss.so"
  expect_exit 0 avbench check my_loss --set margin=0.5
  expect_exit 0 avbench bench step my_loss --width 2 --frames 2 --size 16 --min-time 0.01
  expect_exit 0 avbench dataset synth "$project/data" --classes 2 --train 8 --val 2 --test 2
  cd "$project"
  expect_exit 0 avbench compare my_loss.yaml --set protocol.pretrain.epochs=1 \
    --set protocol.pretrain.batch_size=4 --set protocol.finetune.epochs=1 \
    --set protocol.finetune.batch_size=4 --set protocol.data.label_fraction=1
  expect_output '| my_loss '
  expect_output '| SimCLR '
  expect_exit 2 avbench new-method my_loss "$tmp/again"
  expect_output "there is a method 'my_loss' already: $project/build/my_loss.so"
  expect_no_file "$tmp/again"
}

# The swapped pairs of the generated test as safetensors: each sample misses by 1 + margin, in each
# of two directions.
write_golden() {  # PROJECT TOTAL
  local header='{"video":{"dtype":"F64","shape":[2,2],"data_offsets":[0,32]},'
  header+='"audio":{"dtype":"F64","shape":[2,2],"data_offsets":[32,64]}}'
  local zero='\0\0\0\0\0\0\0\0' one='\0\0\0\0\0\0\360\077'
  {
    printf "\\$(printf %03o ${#header})\0\0\0\0\0\0\0%s" "$header"
    printf "$one$zero$zero$one$zero$one$one$zero"
  } >"$1/golden.safetensors"
  sed -i '/^avbench_add_method_test/d' "$1/CMakeLists.txt"
  echo "avbench_add_method_test(my_loss SOURCES my_loss_test.cpp GOLDEN golden.safetensors $2" \
    "SET margin=0.5)" >>"$1/CMakeLists.txt"
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
