"""Writes a table that is larger than memory should be: large_table.py FILE [ROWS]

Twenty columns made of three hidden numbers and a little noise, ten million rows unless it is said: 1.4 GB. Beside it
FILE.yaml, a model that learns from it:

    python3 bench/peers/large_table.py /tmp/large.csv
    /usr/bin/time -v graphrun /tmp/large.csv.yaml --out /tmp/large
    /usr/bin/time -v graphrun score /tmp/large /tmp/large.csv --out /tmp/scores.csv
    build/release/bench/input_pipeline /tmp/large.csv.yaml
"""

import random
import sys

MODEL = """graphrun: 1
name: large
data:
  train: {table: %s}
  split: {validation: 0.02}
inputs: {x: {from: cells}}
nodes:
  enc:  {op: dense, in: x,    units: 64, act: relu}
  code: {op: dense, in: enc,  units: 8}
  dec:  {op: dense, in: code, units: 64, act: relu}
  row:  {op: dense, in: dec,  units: "$(dim(x, -1))"}
outputs: {code: code, row: row}
loss: {error: "mean((row - x) ** 2, axis=1)"}
train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 256, epochs: 1, seed: 1}
"""

COLUMNS = 20


def main():
    path = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    draw = random.Random(1).random
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(f"c{i}" for i in range(COLUMNS)) + "\n")
        for _ in range(rows):
            hidden = (draw(), draw(), draw())
            file.write(",".join(f"{hidden[i % 3] * (i + 1) + 0.1 * draw():.4f}" for i in range(COLUMNS)) + "\n")
    with open(path + ".yaml", "w", encoding="utf-8") as file:
        file.write(MODEL % path.rsplit("/", 1)[-1])


if __name__ == "__main__":
    main()
