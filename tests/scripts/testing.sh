# Shared by the script tests: a temporary folder $tmp, and what a case may expect.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

die() {
  echo "FAILED: $*" >&2
  [[ ! -f $tmp/output ]] || sed 's/^/  output: /' "$tmp/output" >&2
  exit 1
}

# Runs a command with its output in $tmp/output and checks its exit code.
expect_exit() {  # CODE COMMAND...
  local expected=$1 code=0
  shift
  "$@" >"$tmp/output" 2>&1 || code=$?
  ((code == expected)) || die "exit code $code, expected $expected: $*"
}
expect_output() { grep -qF -- "$1" "$tmp/output" || die "the output lacks: $1"; }
expect_no_output() { [[ ! -s $tmp/output ]] || die "output where none was expected"; }
expect_file() { [[ -s $1 ]] || die "no file $1"; }
expect_no_file() { [[ ! -e $1 ]] || die "unexpected file $1"; }
