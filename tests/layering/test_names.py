"""Names of test cases pass through CMake lists on their way to ctest: test_names.py ROOT

A semicolon or an unbalanced bracket in one would make ctest run several tests as one, under a name that does
not exist; a name used twice in a program would be an error only when it runs.
"""

import collections
import pathlib
import re
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    faults = []
    for folder in sorted(path for path in (root / "tests").iterdir() if path.is_dir()):
        names = collections.Counter()
        for path in sorted(folder.rglob("*.cpp")):
            for name in re.findall(r'^TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8"), re.MULTILINE):
                names[name] += 1
                if ";" in name or name.count("[") != name.count("]"):
                    faults.append(f"{path.relative_to(root)}: a semicolon or an unbalanced bracket: {name}")
        faults += [f"{folder.name}: used {count} times: {name}" for name, count in names.items() if count > 1]
    print("\n".join(faults) or "every name is fit for ctest")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
