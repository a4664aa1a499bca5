"""Holds the C interface to its list: functions.py ROOT LIBRARY NM

functions.txt beside this file names every function, in order. The header declares them all and no more, and the library
exports them: a function that goes, or comes, is a change of that list, which somebody sees.
"""

import pathlib
import re
import subprocess
import sys


def main():
    root, library, nm = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    listed = (pathlib.Path(__file__).parent / "functions.txt").read_text().split()
    header = (root / "include/graphrun/graphrun.h").read_text()
    declared = re.findall(r"^GRAPHRUN_C_API [\w* ]*?\b(graphrun_\w+)\(", header, re.MULTILINE)
    output = subprocess.run([nm, "--dynamic", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1] for line in output.splitlines()}
    exported = {name for name in exported if name.startswith("graphrun_") and not name.startswith("graphrun_interface_")}
    faults = []
    if sorted(declared) != listed:
        faults.append(f"the header and functions.txt differ: {sorted(set(declared) ^ set(listed))}")
    if exported != set(listed):
        faults.append(f"the library and functions.txt differ: {sorted(exported ^ set(listed))}")
    print("\n".join(faults) or f"{len(listed)} functions")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
