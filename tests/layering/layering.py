"""The order of the house: which room may include which, and which file may include which library.

    layering.py ROOT

The table of rooms is what CMake links: the graphrun_room() lines of the tree. Prints every include that breaks it as
FILE:LINE: what is wrong, also every row of the README's map that says something else, and exits 1 if there is one.
"""

import pathlib
import re
import sys

# Folders that are no rooms, and what they may include besides themselves and the public headers. None: everything.
OUTSIDE = {"include": set(), "examples": set(), "cli": None, "bench": None, "tests": None}

# The public headers that the rooms below api/ share; the others belong to the host's side of the API.
SHARED_PUBLIC_HEADERS = {"graphrun/error.hpp", "graphrun/export.hpp", "graphrun/products.hpp", "graphrun/version.hpp"}
HOST_SIDE = {"include", "api", "cli", "examples", "bench", "tests"}

# A folder with more source files than this has no reader.
MOST_FILES = 45

ROOM = re.compile(r"^graphrun_room\(([^)]*)\)", re.MULTILINE)
INTERFACE = re.compile(r"^target_link_libraries\(graphrun_(\w+) INTERFACE graphrun_(\w+)\)", re.MULTILINE)


def edges_of(root):
    """Each room's path -> the rooms that it links itself."""
    edges = {}
    for path in sorted(root.glob("*/CMakeLists.txt")):
        text = path.read_text(encoding="utf-8")
        for match in ROOM.finditer(text):
            words = match.group(1).split()
            uses = words[words.index("USES") + 1:] if "USES" in words else []
            edges[words[0]] = {word for word in uses[:next((i for i, word in enumerate(uses) if word.isupper()), len(uses))]}
        for match in INTERFACE.finditer(text):  # a room made of rooms: runtime, show
            edges.setdefault(match.group(1), set()).add(match.group(2).replace("_", "/"))
    return edges


def rooms_of(root):
    """Each room's path -> the rooms that it may include, directly or through others."""
    edges = edges_of(root)

    def reach(room, seen):
        for used in edges.get(room, ()):
            if used not in seen:
                seen.add(used)
                reach(used, seen)
        return seen

    return {room: reach(room, set()) for room in edges}


def map_faults(root):
    """Where the map of the house in the README is not what is linked."""
    readme = root / "README.md"
    if not readme.exists():
        return []
    rows = {}
    for line in readme.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\| `([\w/]+)` \| .* \| ([\w/, –]+) \|", line):
            rows[match.group(1)] = {name.strip() for name in match.group(2).split(",")} - {"–"}
    made_of_rooms = {room.split("/")[0] for room in rows if "/" in room} - set(rows)
    edges = {room: used for room, used in edges_of(root).items() if room not in made_of_rooms}
    return [f"README.md: the map says that {room} uses {sorted(rows.get(room, []))}, but it links {sorted(edges.get(room, []))}"
            for room in sorted(rows.keys() | edges.keys()) if rows.get(room) != edges.get(room)]


def room_of(path, rooms):
    """The innermost room that a path lies in, or its first folder."""
    parts = path.split("/")[:-1]
    while parts:
        if "/".join(parts) in rooms:
            return "/".join(parts)
        parts.pop()
    return path.split("/")[0]


# Fenced libraries: the include that gives one away, and how many file pairs (same path without the
# extension) may have it, in all folders but tests/ and bench/.
FENCES = {
    "yaml-cpp": (r"yaml-cpp/", 1),
    "oneDNN": (r"(oneapi/)?dnnl/|dnnl\.h", 1),
    "TBB": (r"(oneapi/)?tbb(/|\.h)", 2),
    "nlohmann-json": (r"nlohmann/", 2),
    "libpng": (r"png\.h", 1),
    "libjpeg": (r"jpeglib\.h", 1),
    "zlib": (r"zlib\.h", 1),
    "libcurl": (r"curl/", 1),
    "CLI11": (r"CLI/", 1),
}

# A host of the library needs the standard library and nothing else.
THIRD_PARTY = "|".join([pattern for pattern, _ in FENCES.values()] + [r"fmt/", r"hwy/", r"catch2/"])

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(path):
    """Yields (line number, header) for each include directive of a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match.group(2)


def layer_fault(file, header, rooms):
    """What is wrong with `file` including `header`, or None."""
    room, folder = room_of(file, rooms), file.split("/")[0]
    if header.startswith("graphrun/"):
        if folder not in HOST_SIDE and header not in SHARED_PUBLIC_HEADERS:
            return f"{room}/ lies below the public API and may not include {header}"
        return None
    if folder in ("include", "examples") and re.match(THIRD_PARTY, header):
        return f"{folder}/ is for hosts and may not need {header}"
    target = room_of(header, rooms)
    if target == room or target not in rooms and target not in OUTSIDE:
        return None
    allowed = rooms[room] if room in rooms else OUTSIDE.get(room, set())
    if allowed is not None and target not in allowed:
        return f"{room}/ may not include {target}/ ({header})"
    return None


def folders_of(root):
    """The folders of the tree that the tables know: those of rooms, and those outside."""
    return sorted({room.split("/")[0] for room in rooms_of(root)} | set(OUTSIDE))


def violations(root):
    """Every breach of the tables in the tree at `root`, as printable lines."""
    faults = map_faults(root)
    rooms = rooms_of(root)
    fenced = {library: {} for library in FENCES}
    counts = {}
    for folder in folders_of(root):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".hpp", ".cpp", ".h", ".c"):
                continue
            counts[path.parent] = counts.get(path.parent, 0) + 1
            file = path.relative_to(root).as_posix()
            for number, header in includes(path):
                place = f"{file}:{number}"
                if fault := layer_fault(file, header, rooms):
                    faults.append(f"{place}: {fault}")
                if folder == "tests" or room_of(file, rooms) == "bench":
                    continue
                for library, (pattern, _) in FENCES.items():
                    if re.match(pattern, header):
                        fenced[library].setdefault(path.with_suffix(""), place)
    for library, (_, limit) in FENCES.items():
        if len(fenced[library]) > limit:
            places = ", ".join(fenced[library].values())
            faults.append(f"{library} may be included by {limit} file pair(s), but is by {len(fenced[library])}: {places}")
    for folder, count in counts.items():
        if count > MOST_FILES:
            faults.append(f"{folder.relative_to(root)}/ has {count} source files, more than {MOST_FILES}: it wants rooms")
    return faults


def main():
    faults = violations(pathlib.Path(sys.argv[1]))
    print("\n".join(faults) or "every include keeps to the tables")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
