"""The tests of single nodes that come with the onnx package, imported and run by graphrun: nodes.py BUILD [--write]

Every test is a model with inputs and outputs. The table in docs/import.md says how many are equal and why others are
not; `--write` makes it anew, and without it a result that is not in the table is a fault. The tests are in the package
`onnx` 1.22.0 of PyPI, which later ones no longer have. Exits 77, which ctest takes for skipped, where it cannot be had.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import zipfile

PACKAGE = "onnx==1.22.0"
FOLDER = "onnx/backend/test/data/node"
SKIPPED = 77
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs/import.md"
BEGIN, END = "<!-- node tests -->\n", "<!-- end of node tests -->\n"


def unpacked(build):
    """The folder of the tests, fetched once."""
    place = build / "onnx-node-tests"
    if (place / FOLDER).is_dir():
        return place / FOLDER
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--dest", place, PACKAGE]
    if subprocess.run(command, capture_output=True).returncode != 0:
        return None
    for wheel in place.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place, [name for name in archive.namelist() if name.startswith(FOLDER)])
        wheel.unlink()
    return place / FOLDER


def results(build, tests):
    report = build / "onnx-node-tests.tsv"
    environment = dict(os.environ, GRAPHRUN_ONNX_NODES=str(tests), GRAPHRUN_ONNX_REPORT=str(report))
    subprocess.run([build / "tests/test_onnx", "[.onnx-nodes]"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return [line.split("\t") for line in report.read_text().splitlines()]


def reason_of(status, text):
    """What stands in the way, without names and numbers that differ from test to test."""
    if status != "refused":
        return {"differs": "other values or another shape", "failed": "an error while it runs"}[status]
    first = text.split("; ")[0]
    found = re.match(r"(.*) \(\d+ nodes?: .*\)$", first)
    first = found.group(1) if found else first
    if first.endswith("graphrun does not import it"):
        return "no such op"
    if "in segments at byte" in first or first.startswith("a tensor of more than"):
        return "data that are no tensor: sequences, optional values"
    if first.startswith("input '"):
        return "inputs that are empty, or no tensors of numbers"
    return re.sub(r"'[^']*'", "…", first.split(": ", 1)[-1])


def ops_of(status, name, text):
    found = re.match(r"(\w+): ", text)
    return found.group(1) if found and status == "refused" else name.removeprefix("test_").split("_")[0]


def table(rows):
    equal = sum(status == "equal" for _, status, _ in rows)
    groups = collections.defaultdict(collections.Counter)
    for name, status, text in rows:
        if status != "equal":
            groups[reason_of(status, text)][ops_of(status, name, text)] += 1
    lines = [f"{equal} of {len(rows)} are equal.\n\n", "| why not | tests | of |\n", "|---|---|---|\n"]
    for reason, ops in sorted(groups.items(), key=lambda group: (-sum(group[1].values()), group[0])):
        shown = ", ".join(f"{op} {count}" if count > 1 else op for op, count in ops.most_common())
        lines.append(f"| {reason.replace('|', '/')} | {sum(ops.values())} | {shown} |\n")
    return "".join(lines)


def main():
    build = pathlib.Path(sys.argv[1])
    tests = unpacked(build)
    if tests is None:
        print(f"{PACKAGE} is not here and cannot be fetched")
        return SKIPPED
    made = table(results(build, tests))
    before, rest = DOCS.read_text().split(BEGIN)
    written, after = rest.split(END)
    print(made.splitlines()[0])
    if "--write" in sys.argv:
        DOCS.write_text(before + BEGIN + "\n" + made + "\n" + END + after)
        return 0
    if written.strip() != made.strip():
        print(f"the table in {DOCS.name} says otherwise; nodes.py {build} --write makes it anew")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
