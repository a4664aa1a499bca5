"""Lets two more runtimes compute the bundled models that graphrun exports, OpenCV's dnn and tract: runtimes.py BUILD

The files are those of compare.py at opset 17, which every common runtime reads; they are held against what graphrun computes,
for one row and seven. `opencv-python-headless` and `tract` come from PyPI into a venv of the build folder. Exits 77, which ctest takes
for skipped, where they cannot be had.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare import SKIPPED, TOLERANCE, largest_difference, python_with_packages

PACKAGES = ["numpy", "onnx==1.23.2", "opencv-python-headless==5.0.0.93", "tract==0.23.9"]
IMPORTS = "import numpy, onnx, cv2, tract"
OPSET = 17


def opencv(path, feeds, outputs):
    import cv2
    net = cv2.dnn.readNetFromONNX(str(path))
    for name, value in feeds.items():
        net.setInput(value, name)
    return net.forward(outputs)


def tract(path, feeds, outputs):
    import tract
    model = tract.onnx().load(path)
    names = [model.input_name(i) for i in range(model.input_count())]
    for i, name in enumerate(names):
        value = feeds[name]
        model.set_input_fact(i, ",".join(map(str, value.shape)) + f",{'i32' if value.dtype.kind == 'i' else 'f32'}")
    results = model.into_model().into_runnable().run([feeds[name] for name in names])
    return [value.to_numpy() for value in results]


RUNTIMES = {"OpenCV": opencv, "tract": tract}
# What a runtime itself does not compute: runtime, the beginning of a folder's name, why.
LEFT_OUT = [
    ("OpenCV", "block.gru_backwards", "it takes the steps in their order"),
    ("OpenCV", "block.whole_numbers", "it wants another type for inputs of i32"),
    ("tract", "block.gru_backwards", "it takes the steps in their order"),
]


def reason(runtime, folder):
    return next((why for name, start, why in LEFT_OUT if name == runtime and folder.startswith(start)), None)


def faults_of(runtime, path):
    """What is wrong with one file, and its largest difference."""
    import numpy as np
    import onnx
    graph = onnx.load(path).graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in weights]
    outputs = [value.name for value in graph.output]
    faults, worst = [], 0.0
    for rows in sorted(folder for folder in path.parent.iterdir() if folder.is_dir()):
        feeds = {name: np.load(rows / f"in.{name}.npy") for name in inputs}
        try:
            results = RUNTIMES[runtime](path, feeds, outputs)
        except Exception as error:  # whatever it does not read
            faults.append(f"{runtime}: {path.parent.name}, {rows.name} rows: {str(error).strip().splitlines()[-1][:200]}")
            continue
        for name, got in zip(outputs, results):
            wanted = np.load(rows / f"out.{name}.npy")
            difference = largest_difference(np.asarray(got).reshape(wanted.shape).astype(wanted.dtype), wanted)
            worst = max(worst, difference)
            if not difference <= TOLERANCE:
                faults.append(f"{runtime}: {path.parent.name}, {rows.name} rows: output {name} is {difference:.1e} off")
    return faults, worst


def compare(folder):
    all_faults = []
    for runtime in RUNTIMES:
        files, worst, left_out = 0, 0.0, []
        for path in sorted(folder.glob(f"*/opset{OPSET}.onnx")):
            if why := reason(runtime, path.parent.name):
                left_out.append(f"{path.parent.name} ({why})")
                continue
            faults, difference = faults_of(runtime, path)
            files += 1
            worst = max(worst, difference)
            all_faults += faults
        print(f"{runtime}: {files} files, at most {worst:.1e} off; left out: {', '.join(left_out) or 'none'}")
        if files == 0:
            all_faults.append(f"{runtime}: no files")
    print("\n".join(all_faults))
    return 1 if all_faults else 0


def main():
    build = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:  # in the venv
        return compare(pathlib.Path(sys.argv[2]))
    python = python_with_packages(build, "venv-runtimes", PACKAGES, IMPORTS)
    if python is None:
        print("OpenCV and tract are not here and cannot be installed")
        return SKIPPED
    folder = build / "runtimes-cases"
    subprocess.run(["rm", "-rf", folder], check=True)
    environment = dict(os.environ, GRAPHRUN_ONNX_FOLDER=str(folder))
    subprocess.run([build / "tests/test_onnx", "[.write-onnx]"], env=environment, check=True, stdout=subprocess.DEVNULL)
    code = subprocess.run([python, __file__, build, folder]).returncode
    subprocess.run(["rm", "-rf", folder], check=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
