"""The autoencoders that every contestant trains: the same sizes, weights, batch, loss and optimizer.

tanh layers, sigmoid pixels, mean squared error, Adam with a rate of 1e-3. Weights are [in, out].
"""

import json
import pathlib
import struct

import numpy

WIDTHS = {"S": [784, 256, 128, 64, 2], "N": [784, 1000, 500, 250, 30]}
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
CHECKED_STEPS = 3  # after so many every contestant must show the same loss


def layers(net):
    """(name, inputs, outputs) of every dense layer, in order."""
    encoder = WIDTHS[net]
    sizes = encoder + encoder[-2::-1]
    hidden = len(encoder) - 2
    names = [f"enc.{i}" for i in range(hidden)] + ["code"] + [f"dec.{i}" for i in range(hidden)] + ["recon"]
    return list(zip(names, sizes, sizes[1:]))


def weights(net):
    """[(w, b)] of every layer: uniform within 1/sqrt(inputs), from a fixed seed."""
    random = numpy.random.RandomState(1)
    bounds = [(inputs**-0.5, inputs, outputs) for _, inputs, outputs in layers(net)]
    return [(random.uniform(-bound, bound, (inputs, outputs)).astype(numpy.float32),
             random.uniform(-bound, bound, outputs).astype(numpy.float32)) for bound, inputs, outputs in bounds]


def pixels(net, batch):
    """u8 images [batch, 784]; contestants learn them divided by 255."""
    return numpy.random.RandomState(2).randint(0, 256, (batch, WIDTHS[net][0])).astype(numpy.uint8)


def images(net, batch):
    return (pixels(net, batch) / numpy.float32(255)).astype(numpy.float32)


MODEL = """graphrun: 1
name: peers_{net}
inputs:
  x: {{shape: [batch, 784]}}
data: {{train: {{images: images.idx}}, test: {{images: images.idx}}}}
nodes:
  enc:   {{op: dense, in: x,    repeat: {hidden},   units: $item,   act: tanh}}
  code:  {{op: dense, in: enc,                      units: {units}, act: tanh}}
  dec:   {{op: dense, in: code, repeat: {reversed}, units: $item,   act: tanh}}
  recon: {{op: dense, in: dec,                      units: 784,     act: sigmoid}}
outputs: {{code: code, image: recon}}
loss:
  reconstruction: {{op: mse, in: [recon, x]}}
train: {{optimizer: {{op: adam, lr: 1.0e-3}}, batch: {batch}, epochs: 1, seed: 1}}
"""


def write_for_graphrun(folder, net, batch):
    """model.yaml, images.idx and weights.safetensors in a folder."""
    folder = pathlib.Path(folder)
    hidden = WIDTHS[net][1:-1]
    text = MODEL.format(net=net, hidden=hidden, reversed=hidden[::-1], units=WIDTHS[net][-1], batch=batch)
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    # IDX: bytes, three axes, their sizes.
    header = struct.pack(">HBBIII", 0, 8, 3, batch, 28, 28)
    (folder / "images.idx").write_bytes(header + pixels(net, batch).tobytes())
    write_safetensors(folder / "weights.safetensors", named_weights(net))


def named_weights(net):
    named = {}
    for (name, _, _), (weight, bias) in zip(layers(net), weights(net)):
        named[f"{name}.w"], named[f"{name}.b"] = weight, bias
    return named


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.tobytes())
