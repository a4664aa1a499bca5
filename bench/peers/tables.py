#!/usr/bin/env python3
"""Finds odd rows with graphrun beside scikit-learn and PyOD, on tables whose odd rows are known.

    tables.py --data FOLDER                     churn.csv.gz and credit.csv.gz in it; shuttle.csv.gz from river
    tables.py --tables churn --seeds 5 --contestants graphrun,forest
    tables.py --tables credit --contestants net,pyod      PyOD's network in graphrun beside itself
    tables.py --tables mitdb --seeds 3          a heartbeat; mitdb.csv from sktime, or in FOLDER
    tables.py --data FOLDER --tables satellite,italy      with a column `odd`, 0 or 1: mlbench's Satellite, of which
                                                cotton crop, damp grey soil and vegetation stubble are odd; the day
                                                curves of aeon's ItalyPowerDemand, both parts, of which class 2 is
    tables.py --held-out 240                    so many rows of those to learn from decide what is flagged

Protocols, split by numpy.random.default_rng(seed): N learns from half of the normal rows and is tested on the
rest and all odd ones; S learns from 70 % and is tested on 30 %, of whose rows every tenth has two cells of other
rows, with other values; T learns from the first two thirds of a series, in windows of 256. graphrun reads the tables as
they are, as whole processes from CSV to scores; the others are given medians for holes, standardised numbers and
one-hot categories, fitted on the rows to learn from, which is not timed. So is `net`, which learns PyOD's network by
graphrun: it differs from PyOD in nothing but the program. False alarms are the share of rows, not odd, that are
flagged at a threshold for 1 %.
NumPy must be there; scikit-learn, river, sktime and PyOD take part when this Python can import them.
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
TABLES = {"shuttle": ("N", "anomaly"), "credit": ("N", "bad"), "churn": ("S", None), "mitdb": ("T", "label"),
          "satellite": ("N", "odd"), "italy": ("N", "odd")}
MODELS = {"graphrun": "models/tables/table_anomaly.yaml", "net": "bench/peers/pyod_net.yaml",
          "dense": "models/tables/series_anomaly.yaml", "conv": "models/tables/series_conv.yaml"}
OF_SERIES = ("dense", "conv")
WINDOW = 256
MISSING = {"", "NA", "nan"}


def read(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


IN_PACKAGES = {"shuttle": ("river", "datasets/shuttle.csv.gz"), "mitdb": ("sktime", "datasets/data/mitdb/mitdb.csv")}


def find(name, folder):
    places = [pathlib.Path(folder) / (name + end) for end in (".csv.gz", ".csv")] if folder else []
    package, inside = IN_PACKAGES.get(name, (None, None))
    if package and importlib.util.find_spec(package):
        places.append(pathlib.Path(importlib.util.find_spec(package).origin).parent / inside)
    return next((path for path in places if path.exists()), None)


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
    if protocol == "T":
        cut = len(rows) * 2 // 3
        rest = [[row[i] for i in range(len(row)) if i != place] for row in rows]
        return [names[i] for i in range(len(names)) if i != place], rest[:cut], rest[cut:], [row[place] for row in rows[cut:]]
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


def settings(contestant, names, train, options, folder):
    """What the model is told of these data."""
    said = {"data.train.table": folder / "train.csv", "data.test.table": folder / "test.csv", "data.test.label": "odd"}
    if contestant in OF_SERIES:
        said["data.windows"] = "{size: %d, stride: 1}" % WINDOW
    if contestant == "net":
        said["data.columns"] = "{numbers: {standardise: [%s]}}" % ", ".join(names)
    if options.held_out:
        said["data.split"] = "{validation: %.6f}" % (options.held_out / len(train))
    return [word for key, value in said.items() for word in ("--set", f"{key}={value}")]


def graphrun(contestant, names, train, test, odd, seed, options, folder):
    """Two processes, from CSV to scores: (figures, seconds of processor time, megabytes at most, false alarms)"""
    if contestant == "net":
        train, test = encoded(train, test)
        names = [f"c{i}" for i in range(len(train[0]))]
    write_table(folder / "train.csv", names, train)
    write_table(folder / "test.csv", names, test, odd)
    run, scores = folder / f"run-{seed}", folder / "scores.csv"
    quiet = ["-q", "--threads", "1"]
    model = options.model or ROOT / MODELS[contestant]
    seconds, megabytes, _ = measured([options.graphrun, model, "--out", run, "--seed", str(seed + 1), *quiet,
                                      *settings(contestant, names, train, options, folder)])
    more, most, answer = measured([options.graphrun, "score", run, folder / "test.csv", "--json", "--out", scores, *quiet])
    found = json.loads(answer)
    heads, lines = read(scores)
    flagged = [line[heads.index("flagged")] == "1" for line in lines if line[heads.index("odd")] in ("0", "")]
    return ((found["roc_auc"], found["average_precision"]), seconds + more, max(megabytes, most),
            100 * statistics.mean(flagged))


MEASURE = """import json, resource, subprocess, sys
answer = subprocess.run(sys.argv[1:], check=True, stdout=subprocess.PIPE, text=True).stdout
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, answer]))"""


def measured(command):
    """(seconds of processor time, megabytes at most, what it printed), by a process as small as can be: a child counts
    the memory of the process that it was forked from."""
    words = [sys.executable, "-c", MEASURE, *map(str, command)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def spread(values, digits=3):
    return f"{statistics.mean(values):.{digits}f}" + (f"±{statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the folder of churn.csv.gz and credit.csv.gz")
    parser.add_argument("--tables", default="shuttle,credit,churn")
    parser.add_argument("--contestants", help="default: graphrun,net,forest,mlp,pyod; of a series: dense,conv")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--held-out", type=int, help="rows that decide what is flagged (default: as the model says)")
    parser.add_argument("--graphrun", default=str(ROOT / "build" / "release" / "graphrun"))
    parser.add_argument("--model", help="a model file in place of the contestant's own")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("| table | contestant | ROC-AUC | average precision | processor seconds | MB | false alarms, % |\n"
          "|---|---|---|---|---|---|---|")
    for name in options.tables.split(","):
        path = find(name, options.data)
        if path is None:
            print(f"{name}: not here", file=sys.stderr)
            continue
        names, rows = read(path)
        usual = "dense,conv" if TABLES[name][0] == "T" else "graphrun,net,forest,mlp,pyod"
        for contestant in (options.contestants or usual).split(","):
            if contestant in PEERS and importlib.util.find_spec(PEERS[contestant][0]) is None:
                print(f"{contestant}: not installed", file=sys.stderr)
                continue
            turns = [compete(contestant, name, names, rows, seed, options) for seed in range(options.seeds)]
            (aucs, precisions), seconds, megabytes, alarms = zip(*(turn[0] for turn in turns)), *list(zip(*turns))[1:]
            memory = f"{max(megabytes):.0f}" if contestant in MODELS else ""
            false = spread(alarms, 2) if contestant in MODELS else ""
            print(f"| {name} {TABLES[name][0]} | {contestant} | {spread(aucs)} | {spread(precisions)} | "
                  f"{statistics.mean(seconds):.2f} | {memory} | {false} |", flush=True)


def compete(contestant, name, names, rows, seed, options):
    """(figures, seconds, megabytes, false alarms), the last two of graphrun alone"""
    columns, train, test, odd = split(name, names, rows, seed)
    if contestant in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            return graphrun(contestant, columns, train, test, odd, seed, options, pathlib.Path(folder))
    known, asked = encoded(train, test)
    begin = time.process_time()
    found = figures(PEERS[contestant][1](known, asked, seed), odd)
    return found, time.process_time() - begin, 0, 0


if __name__ == "__main__":
    main()
