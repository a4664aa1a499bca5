"""A training step of an autoencoder of dense layers by processes that learn together, as ddp.py and scaling.py time it."""

import argparse
import csv
import os
import pathlib
import random
import struct
import subprocess
import tempfile

WIDTHS = {"S": [784, 256, 128, 64, 2], "N": [784, 1000, 500, 250, 30]}

MODEL = """graphrun: 1
name: ranks_step
data: {{train: {{images: {folder}/train.idx}}, test: {{images: {folder}/test.idx}}}}
inputs:
  x: {{shape: [batch, {pixels}]}}
nodes:
  enc: {{op: dense, in: x, repeat: {hidden}, units: $item, act: tanh}}
  code: {{op: dense, in: enc, units: {units}, act: tanh}}
  dec: {{op: dense, in: code, repeat: {back}, units: $item, act: tanh}}
  recon: {{op: dense, in: dec, units: {pixels}, act: sigmoid}}
loss:
  reconstruction: {{op: mse, in: [recon, x]}}
train: {{optimizer: {{op: adam, lr: 1.0e-3}}, batch: {batch}, epochs: {epochs}, shards: {ranks}, pictures: {{every: 0}}}}
"""


def arguments_of(about):
    """What both programs take; more may be added before it is parsed."""
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the best counts")
    return parser


def write_images(path, count, pixels=b""):
    """Black where no pixels are given. Files of their own are read at once, and an epoch has as many steps as are
    wanted."""
    path.write_bytes(struct.pack(">4i", 0x803, count, 28, 28) + pixels)
    os.truncate(path, 16 + count * 28 * 28)


def train_words(program, folder, widths, batch, ranks, threads, steps, epochs):
    """The command that learns so many steps an epoch, from a model and images that are written into the folder."""
    hidden = widths[1:-1]
    rows = batch * steps
    write_images(folder / "train.idx", rows, random.Random(1).randbytes(rows * 28 * 28))
    write_images(folder / "test.idx", rows * epochs)  # no epoch but the last is measured and written
    model = folder / "model.yaml"
    model.write_text(MODEL.format(folder=folder, pixels=widths[0], hidden=hidden, back=hidden[::-1],
                                  units=widths[-1], batch=batch, ranks=ranks, epochs=epochs), encoding="utf-8")
    return [program, "train", str(model), "--json", "-q", "--threads", str(threads)]


def launch(ranks, words):
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe"] if ranks > 1 else []
    subprocess.run(launcher + words, env=environment, capture_output=True, text=True, check=True)


def seconds_in(run, steps):
    """Seconds a step of each epoch but the first, which touches all memory for the first time."""
    with open(run / "metrics.csv", encoding="utf-8") as rows:
        return [float(row["seconds"]) / steps for row in csv.DictReader(rows)][1:]


def seconds_of_epochs(program, widths, batch, ranks, threads=1, steps=40, epochs=2):
    """Seconds a step takes in each epoch of so many steps but the first, by so many processes of so many threads
    each."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        words = train_words(program, folder, widths, batch, ranks, threads, steps, epochs)
        launch(ranks, [*words, "--out", str(folder / "run")])
        return seconds_in(folder / "run", steps)


def seconds_side_by_side(program, widths, batch, processes, steps=40, epochs=3):
    """The same of processes of one thread that each learn all of a batch, and know nothing of each other: of each
    epoch the slowest, but of the last one, which some begin when others have ended. The launcher gives each its core,
    as it does to those that learn together."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        words = train_words(program, folder, widths, batch, 1, 1, steps, epochs)
        alone = 'run=$0$OMPI_COMM_WORLD_RANK; unset OMPI_COMM_WORLD_SIZE; exec "$@" --out "$run"'
        launch(processes, ["sh", "-c", alone, str(folder / "run"), *words])
        runs = [seconds_in(folder / f"run{number}", steps) for number in range(processes)]
        return [max(seconds) for seconds in zip(*runs)][:-1]


def seconds_of_step(program, widths, batch, ranks, threads=1):
    return seconds_of_epochs(program, widths, batch, ranks, threads)[0]
