"""What the shared library gives and takes: exports.py LIBRARY NM

Prints the exported symbols, and fails if one is not part of the public API, or if the library uses a
function that a guest has no business to call: it must not print, exit, or change signals or locale.
"""

import re
import subprocess
import sys

PUBLIC = re.compile(r"(vtable for |typeinfo for |typeinfo name for |VTT for )?graphrun::(?!runtime::|ops::|train::|cli::)|graphrun_[a-z_]+")
FORBIDDEN = re.compile(
    r"(_?exit|_Exit|quick_exit|printf|vprintf|puts|putchar|perror|std(in|out|err)|signal|sigaction|raise|setlocale"
    r"|std::(cout|cerr|clog|cin)|std::locale::global\(.*)(@.*)?$"
)


def symbols(nm, library, selection):
    """The dynamic symbols of a kind, demangled, without address and type."""
    command = [nm, "--dynamic", "--demangle", selection, library]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [re.sub(r"^[0-9a-f ]*\s[A-Za-z]\s", "", line) for line in lines]


def main():
    library, nm = sys.argv[1:]
    exported = symbols(nm, library, "--defined-only")
    print("\n".join(exported))
    faults = [f"exported, but not marked GRAPHRUN_API: {name}" for name in exported if not PUBLIC.match(name)]
    if not exported:
        faults.append("nothing is exported")
    used = symbols(nm, library, "--undefined-only")
    if any(name.startswith("__assert_fail") for name in used):
        # A build with assertions: fmt's say on stderr what is wrong, and abort.
        used = [name for name in used if not name.startswith("stderr")]
    faults += [f"a library must not use {name}" for name in used if FORBIDDEN.match(name)]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
