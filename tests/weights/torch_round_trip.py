"""Weights to PyTorch and back: torch_round_trip.py GRAPHRUN WORK_DIR

PyTorch's own load_state_dict takes what `graphrun export --torch` writes and computes the same codes and images; and
graphrun takes what PyTorch saves under other names. Exits 77, which ctest takes for skipped, where PyTorch is not here.
"""

import pathlib
import subprocess
import sys

try:
    import numpy as np
    import torch
    from safetensors.torch import load_file, save_file
    from torch import nn
except ImportError as error:
    print(f"{error.name} is not here")
    sys.exit(77)

MODEL = """graphrun: 1
name: trip
data: {train: {images: x.npy}}
inputs: {x: {shape: [batch, 8, 8, 3]}}
nodes:
  c:     {op: conv2d, in: x, channels: 5, kernel: 4, stride: 2, pad: 1, bias: false}
  n:     {op: batch_norm, in: c}
  code:  {op: dense, in: flatten(relu(n)), units: 6, act: tanh}
  wide:  {op: dense, in: code, units: 80}
  m:     {op: batch_norm, in: wide}
  grid:  {op: reshape, in: relu(m), shape: [batch, 4, 4, 5]}
  recon: {op: conv_transpose2d, in: grid, channels: 3, act: sigmoid}
outputs: {code: OUTPUT}
loss: {r: {op: mse, in: [recon, x]}}
train: {optimizer: {op: adam, lr: 0.01}, batch: 4, steps: 20, seed: 3}
"""


class Trip(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 5, 4, stride=2, padding=1, bias=False)
        self.n = nn.BatchNorm2d(5)
        self.code = nn.Linear(80, 6)
        self.wide = nn.Linear(6, 80)
        self.m = nn.BatchNorm1d(80)
        self.recon = nn.ConvTranspose2d(5, 3, 4, stride=2, padding=1)

    def forward(self, x):
        code = torch.tanh(self.code(torch.flatten(torch.relu(self.n(self.c(x))), 1)))
        grid = torch.relu(self.m(self.wide(code))).reshape(-1, 5, 4, 4)
        return code, torch.sigmoid(self.recon(grid))


class Stacked(nn.Module):
    """The same layers under the names that sequences give them."""

    def __init__(self, trip):
        super().__init__()
        self.encoder = nn.Sequential(trip.c, trip.n, nn.ReLU(), nn.Flatten(), trip.code, nn.Tanh())
        self.decoder = nn.Sequential(trip.wide, trip.m, nn.ReLU(), nn.Unflatten(1, (5, 4, 4)), trip.recon, nn.Sigmoid())


class Cells(nn.Module):
    """Two layers both ways, and a head."""

    def __init__(self, kind):
        super().__init__()
        self.cells, self.head = kind(3, 4, num_layers=2, bidirectional=True, batch_first=True), nn.Linear(8, 2)

    def forward(self, x):
        y = self.cells(x)[0]
        return self.head(torch.cat([y[:, -1, :4], y[:, 0, 4:]], dim=1))


CELLS = """
  a:  {op: KIND, in: x, units: 4}
  b:  {op: KIND, in: x, units: 4, reverse: true}
  ab: {op: concat, in: [a.h, b.h], axis: 2}
  c:  {op: KIND, in: ab, units: 4}
  d:  {op: KIND, in: ab, units: 4, reverse: true}
  cd: {op: concat, in: [c.last, d.last], axis: 1}
  y:  {op: dense, in: cd, units: 2}
"""
SQUARE = """
  net:
    op: dense
    in: x
    repeat: 3
    units: 6
    act: tanh
  y: {op: dense, in: net, units: 6}
"""
MOBILE = """
  a: {op: conv2d, in: x, channels: 6, kernel: 3, stride: 2, pad: 1, bias: false}
  b: {op: batch_norm, in: a}
  c: {op: conv2d, in: relu(b), channels: 6, kernel: 3, pad: 1, groups: 6}
  d: {op: conv2d, in: c, channels: 4, kernel: 1}
  e: {op: flatten, in: d}
  f: {op: dense, in: e, units: 5, act: relu}
  y: {op: layer_norm, in: f}
"""


class Square(nn.Module):
    """All layers of one shape, under names that are the model's own."""

    def __init__(self):
        super().__init__()
        self.y, self.net = nn.Linear(6, 6), nn.ModuleList(nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        for layer in self.net:
            x = torch.tanh(layer(x))
        return self.y(x)


def mobile():
    return nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3, 1, 1, groups=6),
                         nn.Conv2d(6, 4, 1), nn.Flatten(), nn.Linear(64, 5), nn.ReLU(), nn.LayerNorm(5))


# nodes, module, shape of an input, what stands before the names of its tensors, their type, tolerance
KINDS = {
    "lstm": (CELLS.replace("KIND", "lstm"), Cells(nn.LSTM), [5, 3], "", torch.float32, 1e-5),
    "gru": (CELLS.replace("KIND", "gru"), Cells(nn.GRU), [5, 3], "model.", torch.float64, 1e-5),
    "DataParallel": (SQUARE, Square(), [6], "module.", torch.float32, 1e-5),
    "torch.compile": (SQUARE, Square(), [6], "_orig_mod.", torch.bfloat16, 1e-5),
    "a trainer": (SQUARE, Square(), [6], "state_dict.model.", torch.float16, 1e-5),
    "depthwise": (MOBILE, mobile(), [8, 8, 3], "net.module.", torch.float32, 1e-5),
}


def require_kind(program, work, name):
    nodes, module, shape, prefix, dtype, tolerance = KINDS[name]
    module.eval()
    with torch.no_grad():  # what is stored, rounded as it is stored, and averages of their own
        for part, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_((tensor + 0.1 * torch.rand(tensor.shape)).to(dtype))
    x = np.random.default_rng(2).random((7, *shape), dtype=np.float32)
    np.save(work / "x.npy", x)
    (work / "kind.yaml").write_text(f"graphrun: 1\nname: kind\ninputs: {{x: {{shape: [batch, {', '.join(map(str, shape))}]}}}}\n"
                                    f"nodes:{nodes}outputs: {{code: y}}\n")
    save_file({prefix + part: tensor.to(dtype).contiguous() if tensor.is_floating_point() else tensor
               for part, tensor in module.state_dict().items()}, work / "kind.safetensors")
    run(program, work, "encode", "kind.yaml", "--weights", "kind.safetensors", "--images", "x.npy", "--out", "y.npy")
    given = torch.from_numpy(x.transpose(0, 3, 1, 2).copy() if x.ndim == 4 else x)
    require_equal(work, "y.npy", module(given), f"a file of {name}", tolerance)


def run(program, work, *words):
    result = subprocess.run([program, *words], cwd=work, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"graphrun {' '.join(words)}: {result.stdout}{result.stderr}")


def require_equal(work, file, wanted, what, tolerance=1e-5):
    got = np.load(work / file)
    wanted = wanted.detach().numpy()
    wanted = wanted.transpose(0, 2, 3, 1) if wanted.ndim == 4 else wanted
    difference = np.abs(got - wanted).max()
    print(f"{what}: {difference:.1e} off")
    if not (got.shape == wanted.shape and difference <= tolerance):
        sys.exit(f"{what} differs")


def main():
    program, work = pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2])
    subprocess.run(["rm", "-rf", work], check=True)
    work.mkdir(parents=True)
    images = np.random.default_rng(1).random((12, 8, 8, 3), dtype=np.float32)
    np.save(work / "x.npy", images)
    for output in ["code", "recon"]:
        (work / f"{output}.yaml").write_text(MODEL.replace("OUTPUT", output))
    run(program, work, "train", "code.yaml", "--out", "run")
    run(program, work, "export", "run", "--torch", "theirs.safetensors")
    model = Trip().eval()
    model.load_state_dict(load_file(work / "theirs.safetensors"))
    code, image = model(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    run(program, work, "encode", "run", "--images", "x.npy", "--out", "code.npy")
    require_equal(work, "code.npy", code, "codes in PyTorch")

    with torch.no_grad():  # other weights, of PyTorch's own
        for tensor in model.state_dict().values():
            if tensor.dtype == torch.float32:
                tensor.add_(torch.rand(tensor.shape) * 0.1)
    code, image = model(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    save_file({name: tensor.contiguous() for name, tensor in Stacked(model).state_dict().items()},
              work / "ours.safetensors")
    for output, wanted in [("code", code), ("recon", image)]:
        run(program, work, "encode", f"{output}.yaml", "--weights", "ours.safetensors", "--images", "x.npy",
            "--out", f"{output}.npy")
        require_equal(work, f"{output}.npy", wanted, f"{output} of PyTorch's weights")
    torch.manual_seed(4)
    for name in KINDS:
        require_kind(program, work, name)


if __name__ == "__main__":
    main()
