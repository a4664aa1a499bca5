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


def run(program, work, *words):
    result = subprocess.run([program, *words], cwd=work, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"graphrun {' '.join(words)}: {result.stdout}{result.stderr}")


def require_equal(work, file, wanted, what):
    got = np.load(work / file)
    wanted = wanted.detach().numpy()
    wanted = wanted.transpose(0, 2, 3, 1) if wanted.ndim == 4 else wanted
    difference = np.abs(got - wanted).max()
    print(f"{what}: {difference:.1e} off")
    if not (got.shape == wanted.shape and difference <= 1e-5):
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


if __name__ == "__main__":
    main()
