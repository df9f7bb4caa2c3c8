#!/usr/bin/env bash
# clang-tidy on what changed: scripts/tidy.sh [--all | FILE... | BASE]
# BASE is a commit; default: where this branch left origin/main or main, or, on main itself, 20
# commits back (all files if there are fewer). A changed header is checked through one source that
# includes it. A file that includes LibTorch costs half a minute of processor time; of these the
# AVBENCH_TIDY_LIMIT (default 6) that changed last are checked, and of files without LibTorch three times
# as many; those left out are named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
limit=${AVBENCH_TIDY_LIMIT:-6}

# The commits whose files are checked: BASE..HEAD, or HEAD where the history has no 20 commits.
find_range() {
  local branch base
  for branch in origin/main main; do
    base=$(git merge-base HEAD "$branch" 2>/dev/null) || continue
    [[ $base == $(git rev-parse HEAD) ]] || { echo "${base:0:10}..HEAD"; return; }
  done
  base=$(git rev-parse --verify --quiet --short=10 HEAD~20) && echo "$base..HEAD" || echo HEAD
}

sources() { git ls-files -- '*.cpp' ':!examples'; }

# What changed, last first: what is not committed, then commit by commit.
changed_files() {  # RANGE
  { git diff --name-only HEAD --; git ls-files -o --exclude-standard
    git log --format= --name-only "$1" --; } | awk '!seen[$0]++'
}

# Sources among the changed files, and for each changed header one that includes it.
changed_sources() {  # RANGE
  local file name
  while IFS= read -r file; do
    [[ -f $file ]] || continue
    case $file in
      examples/*) ;;
      *.cpp) echo "$file" ;;
      *.h)
        if [[ -f ${file%.h}.cpp ]]; then
          echo "${file%.h}.cpp"
        else
          name=${file##*/include/}
          sources | xargs grep -lF -e "\"${name#*/}\"" -e "\"$name\"" | head -n 1 || true
        fi
        ;;
    esac
  done < <(changed_files "$1")
}

case ${1:-} in
  --all) mapfile -t files < <(sources); what="all files" ;;
  *.cpp) files=("$@"); what="the given files" ;;
  *)
    range=${1:+$1..HEAD}
    range=${range:-$(find_range)}
    git rev-parse --quiet --verify "${range%..HEAD}^{commit}" >/dev/null ||
      { echo "tidy: got '$1', expected a commit, files, or --all" >&2; exit 2; }
    mapfile -t files < <(changed_sources "$range" | awk '!seen[$0]++')
    what="files changed in $range"
    ;;
esac

scripts/bootstrap.sh
cmake --preset tidy -DLIBTORCH="${LIBTORCH:-}" -Wno-dev --log-level=NOTICE >/dev/null

# Cheap ones first. A file is taken to include LibTorch if its command names it.
python3 - "$PWD" "$limit" "${files[@]}" >build/tidy/files <<'PYTHON'
import json, os, sys
root, limit, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
commands = {os.path.relpath(entry["file"], root): entry["command"]
            for entry in json.load(open("build/tidy/compile_commands.json"))}
known = [file for file in files if os.path.relpath(file) in commands]
for file in sorted(set(files) - set(known)):
    print(f"tidy: left out, not part of the build: {file}", file=sys.stderr)
heavy = [file for file in known if "libtorch" in commands[os.path.relpath(file)]]
light = [file for file in known if file not in heavy]
for files, most in ((light, 3 * limit), (heavy, limit)):
    for file in files[:most]:
        print(file)
    for file in files[most:]:
        print(f"tidy: left out, beyond AVBENCH_TIDY_LIMIT={limit}: {file}", file=sys.stderr)
PYTHON
mapfile -t files <build/tidy/files

if ! xargs -r -P "$(nproc)" -n 1 clang-tidy -p build/tidy --quiet <build/tidy/files \
    >build/tidy/log 2>build/tidy/stderr; then
  grep -v '^$' build/tidy/log || cat build/tidy/stderr
  echo "tidy: the lines above; .clang-tidy says which checks there are"
  exit 1
fi
echo "tidy: ${#files[@]} of $what, nothing found"
