#!/usr/bin/env python3
"""Checks who includes whom in framework/: scripts/include_edges.py [--write] [ROOT]

What a folder may include is what its CMakeLists.txt links: avbench::FOLDER for the headers of a
folder, and a library of LIBRARIES for a foreign one, by itself or as PUBLIC part of a linked folder.
A folder may only link those named before it in framework/CMakeLists.txt, and must use what it links.
Names live in the namespace avbench::FOLDER, or inside it, and the SDK's in avbench.
docs/architecture.md shows the result: in the table between the marks, which --write writes anew, and
in the graph, whose arrows must be links, with every link reached along arrows. Prints what differs and
exits 1. Nothing needs to be compiled or configured.
"""

import re
import sys
from pathlib import Path

# Foreign libraries: name in the table, target in CMake, its headers, and whether one folder alone may
# link it, so that the library can be replaced in one place.
LIBRARIES = [
    ("FFmpeg", "PkgConfig::FFMPEG", r"lib(avcodec|avformat|avutil|swscale|swresample)/", True),
    ("yaml-cpp", "yaml-cpp", r"yaml-cpp/", True),
    ("Boost.DLL", "Boost::boost", r"boost/", True),
    ("CLI11", "CLI11::CLI11", r"CLI/", True),
    ("OpenSSL", "OpenSSL::Crypto", r"openssl/", True),
    ("libpng", "PNG::PNG", r"png(conf)?\.h$", True),
    ("Highway", "hwy::hwy", r"hwy/", True),
    ("OpenMP", "avbench::openmp", r"omp\.h$", True),
    ("Google Benchmark", "benchmark::benchmark", r"benchmark/", True),
    ("LibTorch", "avbench::torch", r"(torch|ATen|c10|caffe2)/", False),
    ("JSON", "nlohmann_json::nlohmann_json", r"nlohmann/", False),
    ("fmt", "fmt::fmt", r"fmt/", False),
    ("spdlog", "spdlog::spdlog", r"spdlog/", False),
]
# C++'s own headers have no suffix; of C's and the system's these are used without a library.
SYSTEM = re.compile(r"[a-z0-9_]+$|sys/\w+\.h$|"
                    r"(dlfcn|elf|fcntl|link|malloc|sched|signal|stdlib|termios|unistd)\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
BEGIN, END = "<!-- include edges: begin -->", "<!-- include edges: end -->"
SCOPES = {"PUBLIC", "PRIVATE", "INTERFACE"}


class Component:
    """What a folder's CMakeLists.txt links, with the line, and what of it is PUBLIC."""

    def __init__(self, folder):
        self.folder = folder
        self.links = {}
        self.public = set()

    def link(self, target, line, public):
        self.links.setdefault(target, line)
        if public:
            self.public.add(target)


def cmake_commands(path):
    """Each command of a CMake file: line, name, arguments."""
    text = re.sub(r"#[^\n]*", "", path.read_text())
    for found in re.finditer(r"^[ \t]*(\w+)[ \t]*\(([^()]*)\)", text, re.M):
        line = text.count("\n", 0, found.start(1)) + 1
        yield line, found[1].lower(), found[2].replace('"', " ").split()


def read_component(folder):
    component = Component(folder.name)
    for line, command, arguments in cmake_commands(folder / "CMakeLists.txt"):
        if command == "avbench_use_torch":
            component.link("avbench::torch", line, False)
        if command not in ("avbench_add_component", "target_link_libraries"):
            continue
        scope = None
        for word in arguments[1:]:
            if word in SCOPES or word in ("SOURCES", "TORCH"):
                scope = word
                if word == "TORCH":
                    component.link("avbench::torch", line, False)
            elif scope in SCOPES:
                component.link(word, line, scope == "PUBLIC")
    return component


def read_components(framework):
    """folder -> Component, in the order of framework/CMakeLists.txt."""
    folders = {path.parent.name for path in framework.glob("*/CMakeLists.txt")}
    words = [word for _, _, words in cmake_commands(framework / "CMakeLists.txt") for word in words]
    order = [word for word in dict.fromkeys(words) if word in folders]
    findings = [f"framework/CMakeLists.txt: the folder {name} is not in the list"
                for name in sorted(folders - set(order))]
    return {name: read_component(framework / name) for name in order}, findings


def offered(components, name, seen=None):
    """The foreign targets whose headers come with linking avbench::NAME."""
    seen = seen if seen is not None else set()
    if name in seen or name not in components:
        return set()
    seen.add(name)
    result = set()
    for target in components[name].public:
        result |= offered(components, target[9:], seen) if is_folder(components, target) else {target}
    return result


def is_folder(components, target):
    return target.startswith("avbench::") and target[9:] in components


def linked_folders(components, component):
    return [name for name in components if f"avbench::{name}" in component.links]


def allowed_libraries(components, component):
    """The foreign targets whose headers the folder may include."""
    result = {target for target in component.links if not is_folder(components, target)}
    for name in linked_folders(components, component):
        result |= offered(components, name)
    return result


def check_links(components):
    """Direction, and one door for each library that has one."""
    order = list(components)
    known = {target for _, target, _, _ in LIBRARIES}
    for name, component in components.items():
        for target, line in component.links.items():
            place = f"framework/{name}/CMakeLists.txt:{line}: {name} -> "
            if is_folder(components, target):
                other = target[9:]
                if order.index(other) >= order.index(name):
                    yield (f"{place}{other}: not allowed, {other} is not above {name} in "
                           "framework/CMakeLists.txt")
            elif target.startswith("avbench::") and target not in known:
                yield f"{place}{target}: there is no such folder"
    for library, target, _, one_door in LIBRARIES:
        doors = [name for name in order if target in components[name].links]
        for name in doors if one_door and len(doors) > 1 else ():
            yield (f"framework/{name}/CMakeLists.txt:{components[name].links[target]}: {name} -> "
                   f"{library}: not allowed, this library has one door; now linked by "
                   f"{', '.join(doors)}")


def includes(root, folder):
    """(file, line, bracket, header) of every #include below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".h", ".cpp", ".hpp", ".inc"):
            for number, text in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(text)
                if found:
                    yield path.relative_to(root).as_posix(), number, found[1], found[2]


def check_includes(root, components):
    for name, component in components.items():
        may_folders = linked_folders(components, component)
        may_libraries = allowed_libraries(components, component)
        used = set()
        for file, line, bracket, header in includes(root, root / "framework" / name):
            # What is installed for plugins cannot see what is not.
            public = "/include/" in file
            folders = [f for f in may_folders if not public or f"avbench::{f}" in component.public]
            first = "sdk" if header.startswith("avbench/") else header.split("/")[0]
            edge, fault = f"{file}:{line}: {name} -> ", None
            if ".." in header.split("/"):
                fault = f'{edge}{header}: include as "folder/file.h"'
            elif "/" in header and first in components:
                used.add(first)
                if first != name and first not in folders:
                    fault = (f"{edge}{first} ({header}): not allowed, {name} may include "
                             f"{', '.join([name, *folders])}")
            elif bracket == "<" or "/" in header:
                library = next((row for row in LIBRARIES if re.match(row[2], header)), None)
                if library and library[1] not in may_libraries:
                    names = [row[0] for row in LIBRARIES if row[1] in may_libraries]
                    fault = (f"{edge}{library[0]} ({header}): not allowed, {name} may include "
                             f"{', '.join(names) or 'no library'}")
                elif not library and not SYSTEM.match(header):
                    fault = f"{edge}{header}: of no folder and no known library (LIBRARIES in {SELF})"
            if fault:
                yield fault
        for other in may_folders:
            if other not in used:
                line = component.links[f"avbench::{other}"]
                yield (f"framework/{name}/CMakeLists.txt:{line}: {name} -> {other}: linked, but "
                       f"nothing of {other} is included")


def check_namespaces(root, components):
    for name in components:
        own = "avbench" if name == "sdk" else f"avbench::{name}"
        for path in sorted((root / "framework" / name).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            for number, text in enumerate(path.read_text().splitlines(), 1):
                found = re.match(r"namespace (avbench[\w:]*) \{", text)
                if found and not f"{found[1]}::".startswith(f"{own}::"):
                    yield (f"{path.relative_to(root).as_posix()}:{number}: namespace {found[1]}: "
                           f"not allowed, the names of {name} belong in {own}")


def table(components):
    lines = [BEGIN, "| Folder | May include | Libraries |", "|---|---|---|"]
    for name, component in components.items():
        libraries = [f"**{row[0]}**" if row[3] else row[0] for row in LIBRARIES
                     if row[1] in allowed_libraries(components, component)]
        folders = [f"`{other}`" for other in linked_folders(components, component)]
        lines.append(f"| `{name}` | {', '.join(folders) or '–'} | {', '.join(libraries) or '–'} |")
    return "\n".join([*lines, END])


def arrows(text):
    """The graph of the folders: `a --> b & c` in the Mermaid block that grows upwards."""
    block = re.search(r"```mermaid\nflowchart BT\n(.*?)```", text, re.S)
    result = {}
    for source, targets in re.findall(r"^\s*(\w+) --> ([\w &]+)$", block[1] if block else "", re.M):
        result.setdefault(source, set()).update(re.findall(r"\w+", targets))
    return result


def reachable(graph, name):
    found, todo = set(), [name]
    while todo:
        new = graph.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def check_graph(components, text):
    graph = arrows(text)
    for name, component in components.items():
        linked = linked_folders(components, component)
        for other in sorted(graph.get(name, set()) - set(linked)):
            yield f"{DOCUMENT}: the graph has an arrow {name} --> {other}, which is no link"
        for other in [other for other in linked if other not in reachable(graph, name)]:
            yield f"{DOCUMENT}: the graph lacks {name} --> {other}, which {name} links"


SELF, DOCUMENT = "scripts/include_edges.py", "docs/architecture.md"


def main():
    arguments = sys.argv[1:]
    write = "--write" in arguments
    rest = [argument for argument in arguments if argument != "--write"]
    if len(rest) > 1 or any(argument.startswith("-") for argument in rest):
        sys.exit(__doc__)
    root = Path(rest[0] if rest else Path(__file__).parent.parent).resolve()
    components, findings = read_components(root / "framework")
    findings += [*check_links(components), *check_includes(root, components),
                 *check_namespaces(root, components)]

    document = root / DOCUMENT
    text, now = document.read_text(), table(components)
    findings += check_graph(components, text)
    found = re.search(re.escape(BEGIN) + ".*?" + re.escape(END), text, re.S)
    if not found:
        findings.append(f"{DOCUMENT}: no {BEGIN} ... {END}")
    elif found[0] != now and write:
        document.write_text(text.replace(found[0], now))
    elif found[0] != now:
        findings.append(f"{DOCUMENT}: the table differs from what the folders link; see "
                        f"whether that is wanted, then {SELF} --write")
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
