#!/usr/bin/env bash
# scripts/bootstrap.sh [--no-libtorch | --cuda]
# Installs what avbench needs and is missing: the Debian packages of packages.txt, and LibTorch into
# .deps/libtorch from the wheels of wheels.txt. Does nothing, quickly, when nothing is missing. With
# --no-libtorch only the packages. With --cuda also what LibTorch needs for NVIDIA's GPUs, from the
# wheels of wheels-cuda.txt; later runs without --cuda keep it.
#
#   LIBTORCH=DIR       use the LibTorch unpacked in DIR (with include/ and lib/) instead
#   AVBENCH_DEPS=DIR   where LibTorch is put, default .deps/ of this repository
#
# Exit codes: 0 ready, 1 failed, 2 something that only you can do (the message says what).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${AVBENCH_DEPS:-$root/.deps}
tree=$deps/libtorch
version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$root/scripts/wheels.txt")

# What is unpacked: headers, the CPU libraries, licences; with CUDA all that its libraries load. The
# rest of the wheels is Python.
pins=("$root/scripts/wheels.txt")
size="530 MB"
parts=('torch/include/*' torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1
       nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/lib/libcupti.so.13 '*.dist-info/licenses/*')

add_cuda() {
  pins+=("$root/scripts/wheels-cuda.txt")
  size="2.5 GB, 3.6 GB unpacked"
  parts+=(torch/lib/libtorch_cuda.so torch/lib/libc10_cuda.so torch/lib/libtorch_cuda_linalg.so
          torch/lib/libtorch_nvshmem.so torch/lib/libcaffe2_nvrtc.so 'nvidia/*/lib/*.so*')
}

say() { echo "bootstrap: $*" >&2; }
fail() {  # CODE MESSAGE...
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# ---- Debian packages -----------------------------------------------------------------------------

missing_packages() {
  local wanted
  wanted=$(sed 's/#.*//' "$root/scripts/packages.txt")
  # shellcheck disable=SC2086  # one word a package
  comm -23 <(printf '%s\n' $wanted | sort -u) \
           <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
             sed -n 's/^installed //p' | sort -u)
}

# The package index is only fetched when installing with the present one fails.
apt_install() {
  local options=(-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300) attempt
  export DEBIAN_FRONTEND=noninteractive
  for attempt in 1 2 3; do
    apt-get "${options[@]}" install -y --no-install-recommends "$@" && return
    say "attempt $attempt of 3 failed; refreshing the package index"
    apt-get "${options[@]}" update || true
  done
  apt-get "${options[@]}" install -y --no-install-recommends "$@"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: taking for granted what scripts/packages.txt lists"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if (($(id -u) != 0)); then
    say "missing Debian packages; install them and run this again:"
    echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 2
  fi
  say "installing ${missing[*]}"
  apt_install "${missing[@]}" || fail 1 "apt-get could not install: ${missing[*]}"
}

# ---- LibTorch ------------------------------------------------------------------------------------

# The version of the LibTorch in DIR; fails, saying what is missing, if DIR holds none.
libtorch_version() {
  local header=$1/include/torch/headeronly/version.h file
  for file in "$header" "$1/lib/libtorch_cpu.so" "$1/lib/libc10.so"; do
    [[ -s $file ]] || { say "no $file"; return 1; }
  done
  sed -nE 's/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+).*/\2/p' "$header" | paste -sd.
}

check_given_libtorch() {
  local found
  found=$(libtorch_version "$LIBTORCH") ||
    fail 2 "LIBTORCH=$LIBTORCH is no LibTorch; expected a folder with include/ and lib/. Unset" \
           "LIBTORCH to have LibTorch $version downloaded into $deps."
  [[ $found == "$version" ]] ||
    fail 2 "LIBTORCH=$LIBTORCH: got LibTorch $found, expected $version. Unset LIBTORCH to have it" \
           "downloaded into $deps."
}

# Identifies a finished tree: what it was made from, then size and name of every file in it.
describe_tree() {
  { cat "${pins[@]}"; echo "${parts[@]}"; } | sha256sum
  (cd "$1" && find torch nvidia ./*.dist-info -type f -printf '%s %p\n' 2>/dev/null | LC_ALL=C sort)
}

tree_is_complete() {
  [[ -f $tree/manifest ]] && cmp -s "$tree/manifest" <(describe_tree "$tree")
}

find_pip() {
  local python
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import pip' 2>/dev/null && { echo "$python"; return; }
  done
  fail 2 "no pip: neither python3 nor /usr/bin/python3 has the module (Debian: python3-pip)"
}

# pip keeps what is already there and right, repeats the rest, and checks the hashes. The wheels are
# asked for by platform, so that this machine's version of Python does not matter.
download_wheels() {
  local python quiet=()
  python=$(find_pip) || exit 2
  [[ -t 2 ]] || quiet=(--quiet)
  PIP_REQUIRE_VIRTUALENV=0 "$python" -m pip download "${quiet[@]}" --no-cache-dir --retries 5 \
    --timeout 60 --disable-pip-version-check --dest "$1" --require-hashes --no-deps \
    --only-binary=:all: --python-version 3.11 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux_2_25_x86_64 --platform manylinux_2_18_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --platform manylinux_2_12_x86_64 --platform manylinux2010_x86_64 \
    "${pins[@]/#/--requirement=}" >&2
}

# Removes every wheel in DIR whose hash is not pinned; succeeds if all pinned ones are left.
only_pinned_wheels() {
  local wheel hash right=0
  for wheel in "$1"/*.whl; do
    [[ -f $wheel ]] || continue
    hash=$(sha256sum <"$wheel")
    if grep -q "sha256:${hash%% *}" "${pins[@]}"; then
      right=$((right + 1))
    else
      say "not what ${pins[*]##*/} pin, removed: $wheel"
      rm -f "$wheel"
    fi
  done
  ((right == $(cat "${pins[@]}" | grep -c '^[^#]*sha256:')))
}

unpack() {  # WHEELS_DIR NEW_TREE
  local wheel
  rm -rf "$2"
  mkdir -p "$2"
  for wheel in "$1"/*.whl; do
    # 11: some of the parts are not in this wheel; libtorch_version and the linker would notice.
    unzip -q -o "$wheel" "${parts[@]}" -d "$2" 2>/dev/null || (($? == 11)) ||
      fail 1 "cannot unpack $wheel into $2 (is the disk full?)"
  done
  local part
  for part in "${parts[@]}"; do
    compgen -G "$2/$part" >/dev/null || fail 1 "the wheels hold no $part"
  done
}

install_libtorch() {
  tree_is_complete && return
  [[ $(uname -m) == x86_64 ]] ||
    fail 2 "wheels.txt pins LibTorch for x86_64, this machine is $(uname -m): unpack LibTorch" \
           "$version yourself and set LIBTORCH=DIR"
  mkdir -p "$deps"
  exec 9>"$deps/.lock"
  flock 9  # two of us at once: the second one finds the work done
  tree_is_complete && return
  [[ -e $tree ]] && say "$tree is incomplete or of another version: replacing it"

  local wheels=$deps/wheels attempt
  for attempt in 1 2 3; do
    say "downloading LibTorch $version ($size) into $deps"
    download_wheels "$wheels" || say "pip failed"
    only_pinned_wheels "$wheels" && break
    say "attempt $attempt of 3: the download is not complete"
    ((attempt < 3)) || fail 1 "no LibTorch: check the network, and pip's settings (pip config list)"
  done

  unpack "$wheels" "$tree.new"
  [[ $(libtorch_version "$tree.new/torch") == "$version" ]] ||
    fail 1 "the wheels of scripts/wheels.txt do not hold LibTorch $version"
  describe_tree "$tree.new" >"$tree.new/manifest"
  rm -rf "$tree"
  mv "$tree.new" "$tree"
  rm -rf "$wheels"
}

case $* in
  '' | --no-libtorch) ;;
  --cuda)
    [[ -z ${LIBTORCH:-} ]] ||
      fail 2 "--cuda installs into $deps, and LIBTORCH=$LIBTORCH says to use that one: unset it"
    ;;
  *) fail 2 "got '$*', expected --cuda, --no-libtorch or nothing" ;;
esac
install_packages
[[ $* != --no-libtorch ]] || exit 0
if [[ -n ${LIBTORCH:-} ]]; then
  check_given_libtorch
else
  [[ $* != --cuda && ! -e $deps/with_cuda ]] || add_cuda
  install_libtorch
  [[ $* != --cuda ]] || touch "$deps/with_cuda"
fi
