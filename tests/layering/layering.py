"""The order of the house: which folder may include which, and which file may include which library.

    layering.py ROOT

Prints every include that breaks the tables below as FILE:LINE: what is wrong, and exits 1 if there is
one. The tables are the ones of the design; a change here is a change of the design.
"""

import pathlib
import re
import sys

# What each folder may include besides itself and the public headers. None: everything.
MAY_INCLUDE = {
    "include": set(),
    "graph": set(),
    "autograd": {"graph"},
    "runtime": {"graph"},
    "ops": {"graph", "runtime"},
    "train": {"graph", "autograd", "runtime", "ops"},
    "api": {"graph", "autograd", "runtime", "ops", "train"},
    "cli": {"graph", "autograd", "runtime", "ops", "train", "api"},
    "examples": set(),
    "bench": None,
    "tests": None,
}

# The public headers that the layers below api/ share; the others belong to the host's side of the API.
SHARED_PUBLIC_HEADERS = {"graphrun/error.hpp", "graphrun/export.hpp", "graphrun/version.hpp"}
HOST_SIDE = {"include", "api", "cli", "examples", "bench", "tests"}

# Fenced libraries: the include that gives one away, and how many file pairs (same path without the
# extension) may have it, in all folders but tests/ and bench/.
FENCES = {
    "yaml-cpp": (r"yaml-cpp/", 1),
    "oneDNN": (r"(oneapi/)?dnnl/|dnnl\.h", 1),
    "TBB": (r"(oneapi/)?tbb(/|\.h)", 2),
    "nlohmann-json": (r"nlohmann/", 1),
    "libpng": (r"png\.h", 1),
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


def layer_fault(folder, header):
    """What is wrong with a file of `folder` including `header`, or None."""
    target = header.split("/")[0]
    if target == "graphrun":
        if folder not in HOST_SIDE and header not in SHARED_PUBLIC_HEADERS:
            return f"{folder}/ lies below the public API and may not include {header}"
        return None
    if folder in ("include", "examples") and re.match(THIRD_PARTY, header):
        return f"{folder}/ is for hosts and may not need {header}"
    allowed = MAY_INCLUDE[folder]
    if target in MAY_INCLUDE and target != folder and allowed is not None and target not in allowed:
        return f"{folder}/ may not include {target}/ ({header})"
    return None


def violations(root):
    """Every breach of the tables in the tree at `root`, as printable lines."""
    faults = []
    fenced = {library: {} for library in FENCES}
    for folder in MAY_INCLUDE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".hpp", ".cpp", ".h", ".c"):
                continue
            for number, header in includes(path):
                place = f"{path.relative_to(root)}:{number}"
                if fault := layer_fault(folder, header):
                    faults.append(f"{place}: {fault}")
                if folder in ("tests", "bench"):
                    continue
                for library, (pattern, _) in FENCES.items():
                    if re.match(pattern, header):
                        fenced[library].setdefault(path.with_suffix(""), place)
    for library, (_, limit) in FENCES.items():
        if len(fenced[library]) > limit:
            places = ", ".join(fenced[library].values())
            faults.append(f"{library} may be included by {limit} file pair(s), but is by {len(fenced[library])}: {places}")
    return faults


def main():
    faults = violations(pathlib.Path(sys.argv[1]))
    print("\n".join(faults) or "every include keeps to the tables")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
