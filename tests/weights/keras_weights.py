"""Weights from Keras: keras_weights.py GRAPHRUN WORK_DIR

What Keras saves of layers of every kind, under its own names, makes graphrun's models compute what Keras does. Exits 77, which
ctest takes for skipped, where Keras is not here.
"""

import os
import pathlib
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import numpy as np
    from keras import layers
    from safetensors.numpy import save_file
except ImportError as error:
    print(f"{error.name} is not here")
    sys.exit(77)

TOLERANCE = 1e-5
HEAD = "graphrun: 1\nname: net\ninputs: {x: {shape: [batch, SHAPE]}}\nnodes:\n"
# A name, the shape of an example, Keras's layers, graphrun's nodes.
NETWORKS = [
    ("images", (8, 8, 3), [layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
                           layers.Conv2DTranspose(2, 2, strides=2), layers.Flatten(), layers.Dense(3)],
     """  a: {op: conv2d, in: x, channels: 4, kernel: 3, pad: 1}
  n: {op: batch_norm, in: a, epsilon: 1.0e-3}
  b: {op: conv_transpose2d, in: relu(n), channels: 2, kernel: 2, stride: 2, pad: 0}
  y: {op: dense, in: flatten(b), units: 3}
"""),
    ("lstm", (6, 5), [layers.LSTM(7), layers.Dense(3)], """  r: {op: lstm, in: x, units: 7}
  y: {op: dense, in: r.last, units: 3}
"""),
    ("gru", (6, 5), [layers.GRU(7, return_sequences=True), layers.GRU(4), layers.Dense(3)], """  r: {op: gru, in: x, units: 7}
  s: {op: gru, in: r.h, units: 4}
  y: {op: dense, in: s.last, units: 3}
"""),
    ("gru_both_ways", (6, 5), [layers.Bidirectional(layers.GRU(4)), layers.LayerNormalization()], """  f: {op: gru, in: x, units: 4}
  b: {op: gru, in: x, units: 4, reverse: true}
  both: {op: concat, in: [f.last, b.last], axis: 1}
  y: {op: layer_norm, in: both, epsilon: 1.0e-3}
"""),
]
RESETS_BEFORE = ("gru_before", (6, 5), [layers.GRU(7, reset_after=False)], "  r: {op: gru, in: x, units: 7}\n  y: r.last * 1\n")


def run(graphrun, folder, network):
    name, shape, modules, nodes = network
    keras.utils.set_random_seed(3)
    net = keras.Sequential([keras.Input(shape), *modules])
    generator = np.random.default_rng(4)
    for weight in net.weights:  # nowhere 0 or 1
        weight.assign(generator.uniform(0.1, 0.9, weight.shape) if "kernel" not in weight.path else weight)
    save_file({weight.path: np.asarray(weight) for weight in net.weights}, folder / f"{name}.safetensors")
    x = generator.standard_normal((5, *shape)).astype(np.float32)
    np.save(folder / "x.npy", x)
    model = folder / f"{name}.yaml"
    model.write_text(HEAD.replace("SHAPE", ", ".join(map(str, shape))) + nodes + "outputs: {code: y}\n")
    result = subprocess.run([graphrun, "encode", model, "--weights", folder / f"{name}.safetensors", "--from", "keras", "--images",
                             folder / "x.npy", "--out", folder / "y.npy"], capture_output=True, text=True)
    return result, np.asarray(net(x))


def main():
    graphrun, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    faults = []
    for network in NETWORKS:
        result, wanted = run(graphrun, folder, network)
        if result.returncode != 0:
            faults.append(f"{network[0]}: {result.stderr}")
            continue
        worst = float(np.abs(np.load(folder / "y.npy") - wanted).max())
        print(f"{network[0]}: at most {worst:.1e} off")
        if not worst <= TOLERANCE:
            faults.append(f"{network[0]} is {worst:.1e} off")
    refused, _ = run(graphrun, folder, RESETS_BEFORE)
    if refused.returncode == 0 or "reset_after=False" not in refused.stderr:
        faults.append(f"{RESETS_BEFORE[0]}: {refused.stdout}{refused.stderr}")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
