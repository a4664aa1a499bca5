"""Lets ONNX Runtime compute what graphrun exports: compare.py BUILD

Writes the op table and the bundled models as ONNX files at several opsets, with inputs and what graphrun's reference
and sessions make of them, by the test programs of the build folder; checks every file with onnx's checker and strict
shape inference, and compares. `onnx` and `onnxruntime` come from PyPI into a venv of the build folder. Exits 77, which
ctest takes for skipped, where they cannot be had.
"""

import os
import pathlib
import subprocess
import sys

PACKAGES = ["numpy", "onnx==1.23.2", "onnxruntime==1.32.0"]
IMPORTS = "import numpy, onnx, onnxruntime"
TOLERANCE = 1e-5
SKIPPED = 77


def has_packages(python, imports):
    return subprocess.run([python, "-c", imports], capture_output=True).returncode == 0


def python_with_packages(build, folder="venv-onnx", packages=PACKAGES, imports=IMPORTS):
    """The interpreter to run with: this one, or that of a venv which is made once."""
    if has_packages(sys.executable, imports):
        return sys.executable
    python = build / folder / "bin/python"
    if not (python.exists() and has_packages(python, imports)):
        made = subprocess.run([sys.executable, "-m", "venv", build / folder], capture_output=True)
        if made.returncode != 0:
            return None
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    return python if has_packages(python, imports) else None


def write_cases(build, folder):
    for program in ["test_ops", "test_onnx"]:
        environment = dict(os.environ, GRAPHRUN_ONNX_FOLDER=str(folder / program))
        subprocess.run([build / "tests" / program, "[.write-onnx]"], env=environment, check=True, stdout=subprocess.DEVNULL)


def largest_difference(got, wanted):
    """Relative where numbers are large; NaN is equal to NaN alone."""
    import numpy as np
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return float("inf")
    if got.size == 0:
        return 0.0
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    difference = np.where(same, 0, np.abs(got - wanted) / np.maximum(1, np.abs(wanted)))
    return float(np.nan_to_num(difference, nan=np.inf).max())


def faults_of(path):
    """What is wrong with one file, and its largest difference."""
    import numpy as np
    import onnx
    import onnxruntime
    faults, worst = [], 0.0
    model = onnx.load(path)
    try:
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # any: it is the file's fault
        return [f"{path}: {error}"], worst
    for rows in sorted(folder for folder in path.parent.iterdir() if folder.is_dir()):
        feeds = {value.name: np.load(rows / f"in.{value.name}.npy") for value in session.get_inputs()}
        names = [value.name for value in session.get_outputs()]
        try:
            results = session.run(names, feeds)
        except Exception as error:
            faults.append(f"{path}, {rows.name} rows: {error}")
            continue
        for name, got in zip(names, results):
            difference = largest_difference(got, np.load(rows / f"out.{name}.npy"))
            worst = max(worst, difference)
            if not difference <= TOLERANCE:
                faults.append(f"{path}, {rows.name} rows: output {name} is {difference:.1e} off")
    return faults, worst


def compare(folder):
    faults, worst, files = [], 0.0, 0
    for path in sorted(folder.glob("*/*/opset*.onnx")):
        found, difference = faults_of(path)
        files += 1
        worst = max(worst, difference)
        for fault in found:
            faults.append(f"{fault} ({(path.parent / 'about.txt').read_text().strip()})")
    print("\n".join(faults))
    print(f"{files} files, {len(faults)} faults, at most {worst:.1e} off")
    return 1 if faults or files == 0 else 0


def main():
    build = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:  # in the venv
        return compare(pathlib.Path(sys.argv[2]))
    python = python_with_packages(build)
    if python is None:
        print("onnx and onnxruntime are not here and cannot be installed")
        return SKIPPED
    folder = build / "onnx-cases"
    subprocess.run(["rm", "-rf", folder], check=True)
    write_cases(build, folder)
    code = subprocess.run([python, __file__, build, folder]).returncode
    if code == 0:
        subprocess.run(["rm", "-rf", folder], check=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
