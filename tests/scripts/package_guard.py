#!/usr/bin/env python3
"""Checks that a list of Debian packages covers what a build used.

package_guard.py LIST BUILD_DIR OWN_DIR...

Every file in ninja's dependency records of BUILD_DIR, every library that `ldd` finds for the
programs and shared libraries in BUILD_DIR/bin and BUILD_DIR/lib, and the build's tools must lie
below an OWN_DIR (or BUILD_DIR), or belong by `dpkg -S` to a package in the dependency closure of
LIST. Prints what does not and exits 1.
"""

import os
import re
import subprocess
import sys
from pathlib import Path


def run(*command, accept=(0,)):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in accept:
        sys.exit(f"package_guard: {' '.join(command[:4])} failed: {done.stderr.strip()}")
    return done.stdout


def listed_packages(path):
    lines = (line.split("#")[0].strip() for line in Path(path).read_text().splitlines())
    return [line for line in lines if line]


def names(field):
    """Package names of a Depends or Provides field, one list of alternatives per entry."""
    for entry in filter(None, (part.strip() for part in field.split(","))):
        yield [re.split(r"[\s(:]", choice.strip())[0] for choice in entry.split("|")]


def dependency_closure(roots):
    """The installed packages that the roots need, by Depends and Pre-Depends."""
    depends, providers = {}, {}
    form = "${db:Status-Status}\t${Package}\t${Pre-Depends},${Depends}\t${Provides}\n"
    for line in run("dpkg-query", "-W", "-f", form).splitlines():
        status, package, needs, provides = line.split("\t")
        if status != "installed":
            continue
        depends.setdefault(package, []).extend(names(needs))
        for (virtual,) in names(provides):
            providers.setdefault(virtual, []).append(package)
    closure, todo = set(), [[root] for root in roots]
    while todo:
        for choice in todo.pop():
            found = [choice] if choice in depends else providers.get(choice, [])
            if found:  # the first alternative that is installed counts
                for package in set(found) - closure:
                    closure.add(package)
                    todo.extend(depends[package])
                break
    return closure


def compiled_files(build):
    """Everything that ninja recorded as read by a compilation."""
    for line in run("ninja", "-C", str(build), "-t", "deps").splitlines():
        if line.startswith("    "):
            yield build / line.strip()


def is_elf(path):
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def linked_files(build):
    """Everything that the loader takes in for the build's programs, plugins and libraries."""
    for folder in (build / "bin", build / "lib"):
        for path in filter(is_elf, sorted(folder.rglob("*"))):
            for line in run("ldd", str(path), accept=(0, 1)).splitlines():
                if "not found" in line:
                    sys.exit(f"package_guard: {path}: {line.strip()}")
                found = re.search(r"(/\S+) \(0x", line)
                if found:
                    yield Path(found.group(1))


def tools(build):
    """The build's programs; one that comes from no package is the user's own choice."""
    keys = "CMAKE_COMMAND|CMAKE_MAKE_PROGRAM|CMAKE_CXX_COMPILER|PKG_CONFIG_EXECUTABLE|AVBENCH_\\w+"
    cache = build / "CMakeCache.txt"
    text = cache.read_text() if cache.exists() else ""
    return [Path(path) for path in re.findall(rf"^(?:{keys}):\w+=(/.*)$", text, re.M)]


def spellings(path):
    """The names under which dpkg may know a file: /lib is /usr/lib, and links have targets."""
    absolute = os.path.normpath(path)
    for name in (absolute, os.path.realpath(absolute)):
        yield name
        yield name[4:] if name.startswith("/usr/") else "/usr" + name


def owners(paths):
    """path -> the packages that hold it."""
    queries = sorted({name for path in paths for name in spellings(path)})
    held = {}
    for start in range(0, len(queries), 1000):
        answer = run("dpkg", "-S", *queries[start : start + 1000], accept=(0, 1))
        for line in answer.splitlines():
            packages, separator, name = line.rpartition(": ")
            if separator and not packages.startswith("diversion by"):
                held[name] = {package.split(":")[0] for package in packages.split(", ")}
    return {p: set().union(*(held.get(n, set()) for n in spellings(p))) for p in paths}


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    package_list, build = sys.argv[1], Path(sys.argv[2]).resolve()
    own = [str(build), *(os.path.realpath(folder) for folder in sys.argv[3:])]

    used = {Path(os.path.normpath(p)) for p in [*compiled_files(build), *linked_files(build)]}
    if not used:
        sys.exit(f"package_guard: nothing has been built in {build}")
    foreign = {p for p in used if p.exists() and
               not any(os.path.realpath(p).startswith(folder + os.sep) for folder in own)}
    own_tools = {p for p in tools(build) if p.exists()}

    closure = dependency_closure(listed_packages(package_list))
    missing = {}
    for path, packages in owners(foreign | own_tools).items():
        if packages.isdisjoint(closure) and (packages or path in foreign):
            missing.setdefault(", ".join(sorted(packages)) or "no package", []).append(path)
    for package, paths in sorted(missing.items()):
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        print(f"not covered by {package_list}: {min(paths)}{more}, from {package}")
    if missing:
        sys.exit(1)
    print(f"{package_list} covers {len(foreign)} files from outside the project")


if __name__ == "__main__":
    main()
