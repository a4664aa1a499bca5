"""A training step of an autoencoder of dense layers by processes that learn together, as ddp.py and scaling.py time it."""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

WIDTHS = {"S": [784, 256, 128, 64, 2], "N": [784, 1000, 500, 250, 30]}

MODEL = """graphrun: 1
name: ranks_step
data: fashion_mnist
inputs:
  x: {{shape: [batch, {pixels}]}}
nodes:
  enc: {{op: dense, in: x, repeat: {hidden}, units: $item, act: tanh}}
  code: {{op: dense, in: enc, units: {units}, act: tanh}}
  dec: {{op: dense, in: code, repeat: {back}, units: $item, act: tanh}}
  recon: {{op: dense, in: dec, units: {pixels}, act: sigmoid}}
loss:
  reconstruction: {{op: mse, in: [recon, x]}}
train: {{optimizer: {{op: adam, lr: 1.0e-3}}, batch: {batch}, steps: 40, shards: {ranks}, partial: drop, pictures: {{every: 0}}}}
"""


def arguments_of(about):
    """What both programs take; more may be added before it is parsed."""
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the best counts")
    return parser


def seconds_of_step(program, widths, batch, ranks, threads=1):
    """The mean of a run by so many processes, of so many threads each."""
    hidden = widths[1:-1]
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe"] if ranks > 1 else []
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.yaml"
        model.write_text(MODEL.format(pixels=widths[0], hidden=hidden, back=hidden[::-1], units=widths[-1],
                                      batch=batch, ranks=ranks), encoding="utf-8")
        words = [program, "train", str(model), "--json", "-q", "--threads", str(threads), "--out", folder + "/run"]
        done = subprocess.run(launcher + words, env=environment, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        return result["seconds"] / result["steps"]
