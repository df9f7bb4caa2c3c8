#!/usr/bin/env bash
# Checks the form of FILE... or of all files of the repository: scripts/style.sh [FILE...]
# C++ is as clang-format 14 leaves it; a line of text ends without blanks, a file with a line feed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
files=("$@")
(($#)) || mapfile -t files < <(git ls-files)

faults=0
fault() { faults=1; echo "style: $1"; }

# Seeds are inputs, byte by byte; links, removed and binary files have no lines.
text=() sources=()
for file in "${files[@]}"; do
  [[ $file != tests/fuzz/seeds/* && -s $file && ! -L $file ]] || continue
  text+=("$file")
  [[ ! $file =~ \.(cpp|h)$ ]] || sources+=("$file")
done
while IFS=: read -r file line _; do
  fault "$file:$line: blanks at the end of the line"
done < <(grep -InE '[[:blank:]]+$' /dev/null "${text[@]}")
while IFS= read -r file; do
  ! grep -qI '' "$file" || fault "$file: no line feed at the end"
done < <(grep -LPz '\n\z' /dev/null "${text[@]}" | grep -v '^/dev/null$')

if ((${#sources[@]})); then
  clang-format --version | grep -q 'version 14\.' ||
    fault "got $(clang-format --version), expected version 14: others format differently"
  clang-format --dry-run --Werror "${sources[@]}" ||
    fault "the files named above are not formatted; mend them with clang-format -i"
fi
exit "$faults"
