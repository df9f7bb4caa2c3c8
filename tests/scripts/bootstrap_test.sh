#!/usr/bin/env bash
# bootstrap.sh in a project folder of its own, with wheels of a few bytes that pip finds in a local
# folder, and with stand-ins for id and apt-get.
source "$(dirname "${BASH_SOURCE[0]}")/testing.sh"

index=$tmp/index
tree=$tmp/project/.deps/libtorch
torch_wheel=torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl

make_wheel() {  # FILE NAME VERSION PATH=TEXT...
  python3 - "$@" <<'PYTHON'
import sys
import zipfile
file, name, version, *members = sys.argv[1:]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(file, "w") as wheel:
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n")
    wheel.writestr(f"{info}/RECORD", "")
    wheel.writestr(f"{info}/licenses/LICENSE", "a licence")
    for member in members:
        path, text = member.split("=", 1)
        wheel.writestr(path, text)
PYTHON
}

version_header() {  # 2 11 0
  printf '#define TORCH_VERSION_MAJOR %s\n#define TORCH_VERSION_MINOR %s\n' "$1" "$2"
  printf '#define TORCH_VERSION_PATCH %s\n' "$3"
}

make_project() {
  mkdir -p "$tmp/project" "$index" "$tmp/stubs"
  cp -r "$project/scripts" "$tmp/project/"
  echo bash >"$tmp/project/scripts/packages.txt"
  make_wheel "$index/$torch_wheel" torch 2.11.0 \
    "torch/include/torch/headeronly/version.h=$(version_header 2 11 0)" \
    torch/lib/libtorch_cpu.so=cpu torch/lib/libc10.so=c10 torch/lib/libgomp.so.1=gomp \
    torch/lib/libtorch_cuda.so=cuda torch/lib/libc10_cuda.so=c10 torch/lib/libtorch_cuda_linalg.so=linalg \
    torch/lib/libtorch_nvshmem.so=nvshmem torch/lib/libcaffe2_nvrtc.so=nvrtc torch/functional.py=python
  make_wheel "$index/nvidia_cuda_runtime-13.0.96-py3-none-manylinux_2_17_x86_64.whl" \
    nvidia_cuda_runtime 13.0.96 nvidia/cu13/lib/libcudart.so.13=cudart
  make_wheel "$index/nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl" \
    nvidia_cuda_cupti 13.0.85 nvidia/cu13/lib/libcupti.so.13=cupti
  make_wheel "$index/nvidia_cudnn_cu13-9.19.0.56-py3-none-manylinux_2_27_x86_64.whl" \
    nvidia_cudnn_cu13 9.19.0.56 nvidia/cudnn/lib/libcudnn.so.9=cudnn
  pin_wheels
}

pin_wheels() {
  local wheel name list
  rm -f "$tmp"/project/scripts/wheels*.txt
  for wheel in "$index"/*.whl; do
    name=$(basename "$wheel" | cut -d- -f1,2)
    list=wheels.txt
    [[ $name != nvidia_cudnn* ]] || list=wheels-cuda.txt
    echo "${name/-/==} --hash=sha256:$(sha256sum <"$wheel" | cut -d' ' -f1)" >>"$tmp/project/scripts/$list"
  done
}

stub() {  # NAME BODY
  printf '#!/bin/bash\n%s\n' "$2" >"$tmp/stubs/$1"
  chmod +x "$tmp/stubs/$1"
}

bootstrap() {
  env PATH="$tmp/stubs:$PATH" PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1 PIP_FIND_LINKS="$index" \
    AVBENCH_DEPS= LIBTORCH="${libtorch:-}" "$tmp/project/scripts/bootstrap.sh" "$@"
}

expect_installed() {
  expect_file "$tree/torch/lib/libtorch_cpu.so"
  expect_file "$tree/torch/include/torch/headeronly/version.h"
  expect_file "$tree/nvidia/cu13/lib/libcudart.so.13"
  expect_file "$tree/manifest"
  [[ $(<"$tree/torch/lib/libtorch_cpu.so") == cpu ]] || die "libtorch_cpu.so is damaged"
  expect_no_file "$tmp/project/.deps/libtorch.new"
  expect_no_file "$tmp/project/.deps/wheels"
}

# ---- Debian packages -----------------------------------------------------------------------------

# As USER, with a package missing; apt-get keeps a log and its `install` fails FAILURES times.
lack_a_package() {  # USER FAILURES
  make_project
  echo 'avbench-no-such-package  # why' >>"$tmp/project/scripts/packages.txt"
  stub id "echo $1"
  stub apt-get "
    [[ \" \$* \" == *' update '* ]] && { echo update >>'$tmp/apt'; exit; }
    echo \"install \${@: -1}\" >>'$tmp/apt'
    (( \$(grep -c install '$tmp/apt') > $2 ))"
}

prints_the_command_when_not_root() {
  lack_a_package 1000 0
  expect_exit 2 bootstrap
  expect_output 'apt-get install -y --no-install-recommends avbench-no-such-package'
  expect_no_file "$tmp/apt"
  expect_no_file "$tree"
}

installs_without_refreshing_the_index() {
  lack_a_package 0 0
  expect_exit 0 bootstrap
  [[ $(<"$tmp/apt") == 'install avbench-no-such-package' ]] || die "apt-get: $(<"$tmp/apt")"
}

refreshes_the_index_when_installing_fails() {
  lack_a_package 0 1
  expect_exit 0 bootstrap
  [[ $(cut -d' ' -f1 "$tmp/apt" | paste -sd,) == install,update,install ]] || die "$(<"$tmp/apt")"
}

gives_up_after_repeated_failures() {
  lack_a_package 0 99
  expect_exit 1 bootstrap
  expect_output 'apt-get could not install: avbench-no-such-package'
  expect_no_file "$tree"
}

# ---- LibTorch ------------------------------------------------------------------------------------

unpacks_libtorch_and_then_has_nothing_to_do() {
  make_project
  expect_exit 0 bootstrap
  expect_installed
  expect_no_file "$tree/torch/lib/libtorch_cuda.so"
  expect_no_file "$tree/torch/functional.py"
  rm "$index"/*
  expect_exit 0 bootstrap
  expect_no_output
}

adds_cuda_and_keeps_it() {
  make_project
  expect_exit 0 bootstrap
  expect_no_file "$tree/nvidia/cudnn"
  expect_exit 0 bootstrap --cuda
  expect_output 'downloading LibTorch 2.11.0 (2.5 GB, 3.6 GB unpacked)'
  expect_installed
  expect_file "$tree/torch/lib/libtorch_cuda.so"
  expect_file "$tree/torch/lib/libc10_cuda.so"
  expect_file "$tree/nvidia/cudnn/lib/libcudnn.so.9"
  expect_no_file "$tree/torch/functional.py"
  rm "$index"/*
  expect_exit 0 bootstrap
  expect_no_output
  expect_file "$tree/torch/lib/libtorch_cuda.so"
}

refuses_to_add_cuda_to_a_given_libtorch() {
  given_libtorch 2 11 0
  expect_exit 2 bootstrap --cuda
  expect_output "LIBTORCH=$tmp/given says to use that one: unset it"
}

refuses_a_wheel_with_a_wrong_hash() {
  make_project
  make_wheel "$index/$torch_wheel" torch 2.11.0 torch/lib/libtorch_cpu.so=evil
  expect_exit 1 bootstrap
  expect_output 'the download is not complete'
  expect_no_file "$tree"
}

repeats_a_partial_download() {
  make_project
  mkdir -p "$tmp/project/.deps/wheels"
  head -c 100 "$index/$torch_wheel" >"$tmp/project/.deps/wheels/$torch_wheel"
  expect_exit 0 bootstrap
  expect_installed
}

repeats_a_partial_unpacking() {
  make_project
  mkdir -p "$tree.new/torch/lib"
  echo partial >"$tree.new/torch/lib/libtorch_cpu.so"
  echo stray >"$tree.new/torch/lib/stray.so"
  expect_exit 0 bootstrap
  expect_installed
  expect_no_file "$tree/torch/lib/stray.so"
}

replaces_a_damaged_tree() {
  make_project
  expect_exit 0 bootstrap
  truncate -s 1 "$tree/torch/lib/libtorch_cpu.so"
  expect_exit 0 bootstrap
  expect_output 'incomplete or of another version'
  expect_installed
  rm "$tree/torch/include/torch/headeronly/version.h"
  expect_exit 0 bootstrap
  expect_installed
  rm "$tree/manifest"
  expect_exit 0 bootstrap
  expect_installed
}

replaces_a_tree_of_other_pins() {
  make_project
  expect_exit 0 bootstrap
  make_wheel "$index/$torch_wheel" torch 2.11.0 \
    "torch/include/torch/headeronly/version.h=$(version_header 2 11 0)" \
    torch/lib/libtorch_cpu.so=CPU torch/lib/libc10.so=c10 torch/lib/libgomp.so.1=gomp
  pin_wheels
  expect_exit 0 bootstrap
  [[ $(<"$tree/torch/lib/libtorch_cpu.so") == CPU ]] || die "the old library is still there"
}

given_libtorch() {  # MAJOR MINOR PATCH
  make_project
  rm "$index"/*
  libtorch=$tmp/given
  mkdir -p "$libtorch/include/torch/headeronly" "$libtorch/lib"
  version_header "$@" >"$libtorch/include/torch/headeronly/version.h"
  echo cpu >"$libtorch/lib/libtorch_cpu.so"
  echo c10 >"$libtorch/lib/libc10.so"
}

leaves_libtorch_out_where_told() {
  make_project
  expect_exit 0 bootstrap --no-libtorch
  expect_no_output
  expect_no_file "$tmp/project/.deps"
  expect_exit 2 bootstrap --no-torch
  expect_output "got '--no-torch', expected --cuda, --no-libtorch or nothing"
}

refuses_a_libtorch_folder_that_is_none() {
  make_project
  libtorch=$tmp/nowhere
  expect_exit 2 bootstrap
  expect_output "no $tmp/nowhere/include/torch/headeronly/version.h"
  expect_output "LIBTORCH=$tmp/nowhere is no LibTorch"
}

refuses_a_libtorch_folder_of_another_version() {
  given_libtorch 2 4 1
  expect_exit 2 bootstrap
  expect_output 'got LibTorch 2.4.1, expected 2.11.0'
}

uses_the_given_libtorch() {
  given_libtorch 2 11 0
  expect_exit 0 bootstrap
  expect_no_output
  expect_no_file "$tree"
}

"$1"
