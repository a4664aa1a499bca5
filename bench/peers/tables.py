#!/usr/bin/env python3
"""Finds odd rows with graphrun beside scikit-learn and PyOD, on tables whose odd rows are known.

    tables.py --data FOLDER                     churn.csv.gz and credit.csv.gz in it; shuttle.csv.gz from river
    tables.py --tables churn --seeds 5 --contestants graphrun,forest

Protocols, split by numpy.random.default_rng(seed): N learns from half of the normal rows and is tested on the
rest and all odd ones; S learns from 70 % and is tested on 30 %, of whose rows every tenth has two cells of other
rows, with other values. graphrun reads the tables as they are, as whole processes from CSV to scores; the others are given medians
for holes, standardised numbers and one-hot categories, fitted on the rows to learn from, which is not timed.
NumPy must be there; scikit-learn, river and PyOD take part when this Python can import them.
"""

import argparse
import csv
import gzip
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = {"shuttle": ("N", "anomaly"), "credit": ("N", "bad"), "churn": ("S", None)}
MISSING = {"", "NA", "nan"}


def read(path):
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def find(name, folder):
    if name == "shuttle":
        spec = importlib.util.find_spec("river")
        return pathlib.Path(spec.origin).parent / "datasets" / "shuttle.csv.gz" if spec else None
    path = pathlib.Path(folder) / f"{name}.csv.gz" if folder else None
    return path if path and path.exists() else None


def split(name, names, rows, seed):
    """(names, rows to learn from, rows to test with, which of these are odd)"""
    chance = numpy.random.default_rng(seed)
    protocol, label = TABLES[name]
    if protocol == "S":
        order = chance.permutation(len(rows))
        cut = int(0.7 * len(rows))
        train = [rows[i] for i in order[:cut]]
        test = [list(rows[i]) for i in order[cut:]]
        odd = numpy.zeros(len(test), dtype=int)
        odd[chance.choice(len(test), len(test) // 10, replace=False)] = 1
        for i in numpy.flatnonzero(odd):
            for column in chance.choice(len(names), 2, replace=False):
                others = [row[column] for row in rows if row[column] != test[i][column]]
                test[i][column] = others[chance.integers(len(others))]
        return names, train, test, odd
    place = names.index(label)
    is_odd = numpy.array([row[place] not in ("0", "0.0", "False") for row in rows])
    kept = [i for i in range(len(names)) if i != place]
    rows = [[row[i] for i in kept] for row in rows]
    normal = chance.permutation(numpy.flatnonzero(~is_odd))
    half = len(normal) // 2
    test = [*normal[half:], *numpy.flatnonzero(is_odd)]
    return [names[i] for i in kept], [rows[i] for i in normal[:half]], [rows[i] for i in test], is_odd[test].astype(int)


def encoded(train, test):
    """Medians for holes, standardised numbers, one hot: fitted on `train`."""
    columns = []
    for i in range(len(train[0])):
        cells = [row[i] for row in train]
        try:
            values = numpy.array([float(cell) for cell in cells if cell not in MISSING])
        except ValueError:
            kinds = sorted(set(cells))
            columns.append([[[float(row[i] == kind) for kind in kinds] for row in part] for part in (train, test)])
            continue
        median, mean, spread = numpy.median(values), values.mean(), values.std() or 1.0
        columns.append([[[((float(row[i]) if row[i] not in MISSING else median) - mean) / spread] for row in part]
                        for part in (train, test)])
    return [numpy.hstack([numpy.array(column[part]) for column in columns]).astype("f4") for part in (0, 1)]


def figures(scores, odd):
    """(ROC-AUC, average precision), ties counted half."""
    order = numpy.argsort(-scores, kind="stable")
    scores, odd = scores[order], odd[order]
    ends = numpy.flatnonzero(numpy.append(numpy.diff(scores) != 0, True))
    found, passed = numpy.cumsum(odd)[ends], numpy.cumsum(1 - odd)[ends]
    gained = numpy.diff(found, prepend=0)
    auc = numpy.sum(numpy.diff(passed, prepend=0) * (found - gained / 2)) / (found[-1] * passed[-1])
    return float(auc), float(numpy.sum(gained / found[-1] * found / (found + passed)))


def forest(train, test, seed):
    from sklearn.ensemble import IsolationForest
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def mlp(train, test, seed):
    from sklearn.neural_network import MLPRegressor
    net = MLPRegressor((64, 32, 64), max_iter=30, batch_size=32, random_state=seed).fit(train, train)
    return ((net.predict(test) - test) ** 2).mean(axis=1)


def pyod(train, test, seed):
    from pyod.models.auto_encoder import AutoEncoder
    return AutoEncoder(random_state=seed, verbose=0).fit(train).decision_function(test)


PEERS = {"forest": ("sklearn", forest), "mlp": ("sklearn", mlp), "pyod": ("pyod", pyod)}


def write_table(path, names, rows, odd=None):
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, "odd"] if odd is not None else names)
        for i, row in enumerate(rows):
            table.writerow([*row, odd[i]] if odd is not None else row)


def graphrun(program, model, names, train, test, odd, seed, folder):
    """Two processes, from CSV to scores: (figures, seconds of processor time, megabytes at most)"""
    write_table(folder / "train.csv", names, train)
    write_table(folder / "test.csv", names, test, odd)
    sets = []
    for key, value in {"data.train.table": folder / "train.csv", "data.test.table": folder / "test.csv",
                       "data.test.label": "odd"}.items():
        sets += ["--set", f"{key}={value}"]
    run = folder / f"run-{seed}"
    options = ["-q", "--threads", "1"]
    seconds, megabytes, _ = measured([program, model, "--out", run, "--seed", str(seed + 1), *options, *sets])
    more, most, answer = measured([program, "score", run, folder / "test.csv", "--json", *options])
    found = json.loads(answer)
    return (found["roc_auc"], found["average_precision"]), seconds + more, max(megabytes, most)


MEASURE = """import json, resource, subprocess, sys
answer = subprocess.run(sys.argv[1:], check=True, stdout=subprocess.PIPE, text=True).stdout
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, answer]))"""


def measured(command):
    """(seconds of processor time, megabytes at most, what it printed), by a process as small as can be: a child counts
    the memory of the process that it was forked from."""
    words = [sys.executable, "-c", MEASURE, *map(str, command)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def spread(values):
    return f"{statistics.mean(values):.3f}" + (f"±{statistics.stdev(values):.3f}" if len(values) > 1 else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the folder of churn.csv.gz and credit.csv.gz")
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--contestants", default="graphrun,forest,mlp,pyod")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--graphrun", default=str(ROOT / "build" / "release" / "graphrun"))
    parser.add_argument("--model", default=str(ROOT / "models" / "tables" / "table_anomaly.yaml"))
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("| table | contestant | ROC-AUC | average precision | processor seconds | MB |\n|---|---|---|---|---|---|")
    for name in options.tables.split(","):
        path = find(name, options.data)
        if path is None:
            print(f"{name}: not here", file=sys.stderr)
            continue
        names, rows = read(path)
        for contestant in options.contestants.split(","):
            if contestant != "graphrun" and importlib.util.find_spec(PEERS[contestant][0]) is None:
                print(f"{contestant}: not installed", file=sys.stderr)
                continue
            aucs, precisions, seconds, megabytes = [], [], [], []
            for seed in range(options.seeds):
                columns, train, test, odd = split(name, names, rows, seed)
                if contestant == "graphrun":
                    with tempfile.TemporaryDirectory() as folder:
                        found, spent, memory = graphrun(options.graphrun, options.model, columns, train, test, odd, seed,
                                                        pathlib.Path(folder))
                    megabytes.append(memory)
                else:
                    known, asked = encoded(train, test)
                    begin = time.process_time()
                    found, spent = figures(PEERS[contestant][1](known, asked, seed), odd), 0
                    spent = time.process_time() - begin
                aucs.append(found[0])
                precisions.append(found[1])
                seconds.append(spent)
            memory = f"{max(megabytes):.0f}" if megabytes else ""
            print(f"| {name} {TABLES[name][0]} | {contestant} | {spread(aucs)} | {spread(precisions)} | "
                  f"{statistics.mean(seconds):.2f} | {memory} |", flush=True)


if __name__ == "__main__":
    main()
