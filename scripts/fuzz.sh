#!/usr/bin/env bash
# Runs the fuzz targets, each for a while: scripts/fuzz.sh [SECONDS] [TARGET...]
# SECONDS is 60 by default, a TARGET is yaml, manifest, safetensors or media (default: all). Inputs that
# reach new code are kept in build/fuzz/corpus/ for the next time. An input that crashes, hangs, leaks
# or takes too much memory is kept in build/fuzz/crashes/, and the exit code is 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
all=(yaml manifest safetensors media)
seconds=${1:-60}
(($# == 0)) || shift
targets=("${@:-${all[@]}}")

fail() {
  echo "fuzz: $1" >&2
  exit 2
}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "got '$seconds', expected a number of seconds"
for target in "${targets[@]}"; do
  [[ " ${all[*]} " == *" $target "* ]] || fail "unknown target '$target'; known: ${all[*]}"
done

scripts/build.sh fuzz >&2
root=$PWD
mkdir -p build/fuzz/{corpus,crashes,logs}
build/fuzz/bin/media_seeds build/fuzz/media_seeds

# FFmpeg allocates by what a file claims, hence the limits of the media target. Its inputs stay small.
run_target() {  # NAME
  local name=$1 corpus=$root/build/fuzz/corpus/$1 seeds=$root/tests/fuzz/seeds/$1 memory=1024
  [[ $name == media ]] && { seeds=$root/build/fuzz/media_seeds; memory=2048; }
  mkdir -p "$corpus"
  TMPDIR=$shared "$root/build/fuzz/bin/${name}_fuzz" "$corpus" "$seeds" \
    -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb="$memory" \
    -artifact_prefix="$root/build/fuzz/crashes/$name-" -print_final_stats=1
}

# In memory where possible: the targets write each input to a file.
shared=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$shared"' EXIT
failed=0
for target in "${targets[@]}"; do
  log=build/fuzz/logs/$target.log
  if (cd "$shared" && run_target "$target") >"$log" 2>&1; then
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "fuzz: $target: $count inputs in $seconds s, nothing found"
  else
    failed=1
    tail -n 40 "$log"
    echo "fuzz: $target: FAILED. The input is $(sed -n 's/^.*Test unit written to //p' "$log")"
    echo "fuzz: once more: build/fuzz/bin/${target}_fuzz THAT_INPUT; the whole log is $log"
  fi
done
exit "$failed"
