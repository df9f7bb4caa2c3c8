#!/usr/bin/env bash
# Builds and runs what the sanitizers cover: scripts/sanitize.sh PRESET [CTEST ARGUMENTS...]
# PRESET is asan-ubsan or tsan. docs/decisions/0009-sanitizers-and-tidy.md says what is covered.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-}
if [[ $preset != asan-ubsan && $preset != tsan ]]; then
  echo "sanitize: got '$preset', expected asan-ubsan or tsan" >&2
  exit 2
fi
shift
# Files that ffmpeg makes take long, and every kind of file runs the same code. Those tests have one thread.
left_out='Format\.'
[[ $preset == asan-ubsan ]] || left_out+='|WholeFile\.'
scripts/build.sh "$preset"
exec ctest --preset "$preset" --parallel 2 --exclude-regex "$left_out" "$@"
