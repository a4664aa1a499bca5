"""The threshold that a host is told is the one that `graphrun score` flags by: threshold.py GRAPHRUN C_PROGRAM"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

MODEL = """graphrun: 1
name: rows
data: {train: {table: rows.csv}, split: {validation: 0.3}}
inputs: {x: {from: cells}}
nodes:
  code: {op: dense, in: x, units: 1}
  row:  {op: dense, in: code, units: "$(dim(x, -1))"}
outputs: {code: code, row: row}
loss: {r: {op: mse, in: [row, x]}}
train: {optimizer: adam, batch: 32, epochs: 2, seed: 1}
"""


def output(folder, *command):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def main():
    program, host = sys.argv[1:]
    draws = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        lines = ["a,b"] + [f"{draws.gauss(0, 1)},{draws.gauss(0, 1)}" for _ in range(300)]
        pathlib.Path(folder, "rows.csv").write_text("\n".join(lines) + "\n")
        pathlib.Path(folder, "model.yaml").write_text(MODEL)
        learnt = json.loads(output(folder, program, "model.yaml", "--out", "run", "--json"))
        seen = set()
        for share in ("0.01", "0.05", "0.25", "0.9"):
            scored = json.loads(output(folder, program, "score", "run", "rows.csv", "--expect", share, "--json"))
            told = float(output(folder, host, "run/resolved.yaml", learnt["checkpoint"], share))
            assert told == scored["threshold"], (share, told, scored["threshold"])
            seen.add(told)
        assert len(seen) == 4, seen


main()
