#!/usr/bin/env python3
"""Times graphrun's training step beside that of PyTorch, JAX and NumPy, in turns within one run.

    compare.py                          every row, at one core and, where there are, at two
    compare.py --rows S-32 --cores 1    one row
    compare.py --peers jax,torch-fused --json times.json
    compare.py --precision bf16         graphrun and PyTorch (autocast) with products of bf16

Rows: S is 784-256-128-64-2 and back, N is 784-1000-500-250-30 and back, with the batch behind the dash; C, K, G and V
are the bundled convolutional, classifier, gan (both players) and vae, in f32 alone. Peers are optional: whatever this
Python can import takes part (`pip install torch jax numpy`; NumPy must be there).
Cores are chosen by affinity, so that a peer cannot use more; at two cores each peer runs with one thread and
with two, as processes of their own, and its better one counts. Before anything is timed, each must show the
same loss as graphrun for the same weights, images and noise, before and after three updates.

A figure is the median over the rounds of the median step of a round; a ratio is the median over the rounds of
the peer's step by graphrun's of the same round.
"""

import argparse
import csv
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROWS = ["S-32", "S-64", "S-128", "S-1024", "N-128", "N-1024", "C-64", "K-64", "G-64", "V-128"]
PEERS = {"numpy": ["plain"], "jax": ["jit"], "torch": ["eager", "fused", "compile"]}
TOLERANCE = {"f32": 2e-5, "bf16": 5e-3}
WIDTHS = ("S", "N")  # the rows of network.py; the others are those of nets.py, in f32 alone


def pinned(cores):
    """Restricts a child process to the first cores that this one may use."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    return lambda: os.sched_setaffinity(0, allowed)


class Peer:
    """A contestant's process; it waits until it is asked to measure."""

    def __init__(self, peer, variant, net, batch, threads, cores, precision, folder):
        self.name = f"{peer} {variant}" + (f", {threads} threads" if threads > 1 else "")
        self.peer = f"{peer} {variant}"
        environment = dict(os.environ)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment[name] = str(threads)
        environment["JAX_PLATFORMS"] = "cpu"
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "contestant.py"), peer, variant, net, str(batch), str(threads),
             precision, *([] if net in WIDTHS else [f"{folder}/weights.safetensors"])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, preexec_fn=pinned(cores))
        self.medians, self.best = [], float("inf")

    def ready(self):
        """Its version and losses; None when it did not start."""
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        print(f"  {self.name} did not start: {self.process.stderr.read().strip().splitlines()[-1:]}", file=sys.stderr)
        return None

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        times = json.loads(self.process.stdout.readline())
        self.medians.append(statistics.median(times))
        self.best = min(self.best, *times)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Graphrun:
    def __init__(self, command, folder, cores, precision):
        self.command, self.folder, self.cores, self.precision = command, folder, cores, precision
        self.medians, self.results = [], []

    def call(self, *words):
        run = subprocess.run([self.command, *words, "--json", "--threads", str(self.cores), "--precision", self.precision],
                             cwd=self.folder, capture_output=True, text=True, preexec_fn=pinned(self.cores), check=False)
        if run.returncode != 0:
            sys.exit(f"graphrun {' '.join(words)}: {run.stderr}")
        return json.loads(run.stdout)

    def losses_by_step(self):
        """Of each of the model's steps, an epoch each, in training: all that is learnt from."""
        self.call("train", "model.yaml", "--weights", "weights.safetensors", "--out", "run", "--no-progress")
        with open(f"{self.folder}/run/metrics.csv", encoding="utf-8") as file:
            return [float(row["train.loss"]) for row in csv.DictReader(file)]

    def losses(self, steps):
        """Before and after so many updates."""
        weights = ["--weights", "weights.safetensors"]
        before = self.call("eval", "model.yaml", *weights)["loss"]
        after = self.call("train", "model.yaml", *weights, "--set", f"train.epochs={steps}", "--out", "run", "--no-progress")
        return before, after["test"]["loss"]

    def measure(self):
        result = self.call("bench", "model.yaml", "--seconds", "1")
        self.results.append(result)
        self.medians.append(result["step_us"]["median"])


def chosen(names):
    """[(peer, variant)] for "jax" (all its variants) or "torch-fused" (one)."""
    pairs = []
    for name in names:
        peer, _, variant = name.partition("-")
        if peer not in PEERS or (variant and variant not in PEERS[peer]):
            sys.exit(f"there is no peer '{name}'; there are {', '.join(f'{p}-{v}' for p in PEERS for v in PEERS[p])}")
        pairs += [(peer, variant)] if variant else [(peer, each) for each in PEERS[peer]]
    return pairs


def contestants(peers, net, batch, cores, precision, folder):
    for peer, variant in peers:
        if net not in WIDTHS and peer == "numpy":
            continue  # it has no convolutions
        # JAX uses as many threads as it has cores, whatever it is told.
        for threads in [cores] if peer == "jax" else range(1, cores + 1):
            yield Peer(peer, variant, net, batch, threads, cores, precision, folder)


def differs(theirs, ours, tolerance):
    return any(not abs(their - own) <= tolerance * abs(own) for their, own in zip(theirs, ours, strict=True))


def compare_row(row, cores, arguments):
    import nets  # needs NumPy
    import network

    net, batch = row.split("-")
    with tempfile.TemporaryDirectory() as folder:
        ours = Graphrun(arguments.graphrun, folder, cores, arguments.precision)
        if net in WIDTHS:
            network.write_for_graphrun(folder, net, int(batch))
            own_losses, tolerance = ours.losses(network.CHECKED_STEPS), TOLERANCE[arguments.precision]
        else:
            nets.write_for_graphrun(folder, net, int(batch), arguments.graphrun)
            own_losses, tolerance = ours.losses_by_step(), nets.NETS[net].tolerance
        running = list(contestants(arguments.peers, net, int(batch), cores, arguments.precision, folder))
        peers, versions = [], {}
        for peer in running:
            known = peer.ready()
            if known is None:
                continue
            theirs = known["losses"]
            if differs(theirs[::network.CHECKED_STEPS] if net in WIDTHS else theirs, own_losses, tolerance):
                sys.exit(f"{row}: {peer.name} computes the losses {known['losses']}, graphrun {own_losses}")
            versions[peer.peer.split()[0]] = known["version"]
            peers.append(peer)
        for _ in range(arguments.rounds):
            ours.measure()
            for peer in peers:
                peer.measure(arguments.seconds)
        for peer in running:
            peer.close()
    return summary(row, cores, ours, peers, versions)


def summary(row, cores, ours, peers, versions):
    best = {}
    for peer in peers:
        median = statistics.median(peer.medians)
        if peer.peer not in best or median < best[peer.peer]["step_us"]:
            ratios = [theirs / own for theirs, own in zip(peer.medians, ours.medians)]
            best[peer.peer] = {"step_us": median, "best_us": peer.best, "ratio": statistics.median(ratios), "as": peer.name}
    floor = min(result["floor_us"]["total"] for result in ours.results)
    step = statistics.median(ours.medians)
    return {"row": row, "cores": cores, "step_us": step, "best_us": min(r["step_us"]["best"] for r in ours.results),
            "floor_us": floor, "ratio": step / floor, "isa": ours.results[0]["isa"],
            "peak_gflops": statistics.median(r["peak_gflops"]["before"] for r in ours.results),
            "versions": versions, "peers": best}


def text_of(result):
    own = result["step_us"]
    lines = [f"{result['row']}, {result['cores']} core{'s' if result['cores'] > 1 else ''}: floor {result['floor_us']:.0f} us, "
             f"peak {result['peak_gflops']:.0f} GFLOP/s",
             f"  {'graphrun':<28}{own:9.0f} us   {own / result['floor_us']:5.2f} of the floor"]
    for peer in sorted(result["peers"].values(), key=lambda each: each["step_us"]):
        lines.append(f"  {peer['as']:<28}{peer['step_us']:9.0f} us   {peer['step_us'] / result['floor_us']:5.2f} of the floor"
                     f"   {peer['ratio']:5.2f} of graphrun's")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--cores", default="1,2")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--precision", default="f32", choices=sorted(TOLERANCE), help="of products; bf16: of PyTorch's alone")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each peer in each round")
    parser.add_argument("--graphrun", default=str(HERE.parents[1] / "build" / "release" / "graphrun"))
    parser.add_argument("--json", help="also write the figures to this file, one object a line")
    arguments = parser.parse_args()
    arguments.graphrun = str(pathlib.Path(arguments.graphrun).resolve())  # it runs in a folder of its own
    if importlib.util.find_spec("numpy") is None:
        sys.exit("compare.py needs NumPy: pip install numpy, and torch and jax to compare with them")
    asked = chosen(arguments.peers.split(","))
    if arguments.precision != "f32":
        asked = [(peer, variant) for peer, variant in asked if peer == "torch"]
    modules = dict.fromkeys(peer for peer, _ in asked)
    found = [peer for peer in modules if importlib.util.find_spec(peer) is not None]
    arguments.peers = [(peer, variant) for peer, variant in asked if peer in found]
    print(f"found {', '.join(found)}" + "".join(f"; no {peer}" for peer in modules if peer not in found), flush=True)
    for row in arguments.rows.split(","):
        if arguments.precision != "f32" and row.split("-")[0] not in WIDTHS:
            print(f"{row}: compared in f32 alone")
            continue
        for cores in map(int, arguments.cores.split(",")):
            if cores > len(os.sched_getaffinity(0)):
                continue
            result = compare_row(row, cores, arguments)
            print(text_of(result), flush=True)
            if arguments.json:
                with open(arguments.json, "a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
