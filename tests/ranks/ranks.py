#!/usr/bin/env python3
"""Learns with several processes, which it starts itself: the same bits at any number of processes and threads, and
one clear message and a checkpoint when one of them fails.

    ranks.py PROGRAM [--all]     quick by default; --all kills a process at 20 random moments

Skipped (77) where there is no mpirun, or the program was built without MPI."""

import argparse
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DATA = SOURCE / "data" / "fashion_mnist_1200"
SMALL_DATA = (f"data={{train: {{images: {DATA}/train-images-idx3-ubyte.gz, labels: {DATA}/train-labels-idx1-ubyte.gz}}, "
              f"test: {{images: {DATA}/t10k-images-idx3-ubyte.gz, labels: {DATA}/t10k-labels-idx1-ubyte.gz}}}}")
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_btl="self,vader,tcp",
                   OMPI_MCA_hwloc_base_binding_policy="none")
SECONDS = 120

MODEL = """graphrun: 1
name: small
inputs:
  x: {shape: [batch, 784]}
nodes:
  noisy: {op: gaussian_noise, in: x, amount: 0.1}
  enc:   {op: dense, in: noisy, units: 32, act: tanh}
  code:  {op: dense, in: enc, units: 4, act: tanh}
  recon: {op: dense, in: code, units: 784, act: sigmoid}
outputs: {code: code, image: recon}
loss:
  reconstruction: {op: mse, in: [recon, x]}
train: {optimizer: {op: adam, lr: 2.0e-3, clip_norm: 1}, batch: 64, epochs: 12, seed: 1, pictures: {every: 0}}
"""


class Failure(Exception):
    pass


class Trials:
    def __init__(self, program, modules, folder):
        self.program, self.modules, self.folder, self.number = program, pathlib.Path(modules), pathlib.Path(folder), 0
        self.model = self.folder / "small.yaml"
        self.wide = self.folder / "wide.yaml"
        self.wide.write_text(MODEL.replace("units: 32", "units: $hidden").replace(
            "inputs:", "vars: {hidden: 32}\n" + SMALL_DATA.replace("data=", "data: ") + "\ninputs:", 1))
        self.model.write_text(MODEL.replace("inputs:", SMALL_DATA.replace("data=", "data: ") + "\ninputs:", 1))

    def words(self, model, out, more=(), threads=1):
        return [self.program, "train", *([str(model)] if model else []), "--json", "-q", "--threads", str(threads),
                *(["--out", str(out)] if out else []), *more]

    def launcher(self, ranks):
        return ["mpirun", "-n", str(ranks)] if ranks > 1 else []

    def new_run(self):
        self.number += 1
        return self.folder / f"run{self.number}"

    def learn(self, model, ranks=1, threads=1, more=(), out=None):
        """What a run prints, which must go well."""
        words = self.launcher(ranks) + self.words(model, out or self.new_run(), more, threads)
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise Failure(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
        if done.stdout.count("\n") != 1:
            raise Failure(f"{' '.join(words)} printed {done.stdout!r}")
        return json.loads(done.stdout)

    def resume(self, run, ranks, more=()):
        words = self.launcher(ranks) + self.words(None, None, ["--resume", str(run), *more])
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise Failure(f"resuming {run} with {ranks} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def started(self, run, ranks, more, environment=None):
        """Processes that learn in the background."""
        return subprocess.Popen(self.launcher(ranks) + self.words(self.model, run, more), env=environment or ENVIRONMENT,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def begun(self, run, ranks, more):
        """The same, once they have left a checkpoint or ended."""
        process = self.started(run, ranks, more)
        wait_for(lambda: process.poll() is not None or checkpoints(run), "the first checkpoint")
        return process

    def fails(self, what, words, message, code=None):
        """A start that must end by itself with one message of ours."""
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS, check=False)
        ours = [line for line in done.stderr.splitlines() if "error: " in line]
        if done.returncode == 0 or (code is not None and done.returncode != code):
            raise Failure(f"{what}: it ended with {done.returncode}: {done.stderr}")
        if len(ours) != 1 or not re.search(message, ours[0]):
            raise Failure(f"{what}: it said {done.stderr}")
        if "bug in graphrun" in done.stderr:
            raise Failure(f"{what}: a bug report: {done.stderr}")


def same_bits(trials):
    """One digest over processes and threads."""
    models = {
        "autoencoder": [],
        "wasserstein_ae": ["--set", "train.gather_rows=true", "--set", "train.partial=keep"],
        "stacked_ae": ["--set", "train.phases.layers.epochs=1"],
        "vae": [],
        "convolutional": ["--set", "train.batch=32"],
    }
    for name, settings in models.items():
        model = SOURCE / "models" / f"{name}.yaml"
        more = ["--set", "train.shards=4", "--set", SMALL_DATA, "--max-steps", "5", *settings]
        expected = trials.learn(model, 1, 1, more)
        for ranks, threads in [(1, 2), (2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (4, 2)]:
            learnt = trials.learn(model, ranks, threads, more)
            for key in ("digest", "train", "test"):
                if learnt[key] != expected[key]:
                    raise Failure(f"{name} with {ranks} processes of {threads} threads: {key} is {learnt[key]}, "
                                  f"not {expected[key]}")
        print(f"{name}: {expected['digest'][:16]} by 1 to 4 processes of 1 and 2 threads", flush=True)


def resumed_by_others(trials):
    """The first run takes a shard for each process and records it."""
    expected = trials.learn(trials.model, 1, 1, ["--set", "train.shards=4", "--set", "train.epochs=3"])
    run = trials.new_run()
    words = trials.launcher(4) + [word for word in trials.words(trials.model, run, ["--max-steps", "9",
                                                                                  "--set", "train.epochs=3"])
                                  if word != "-q"]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0 or "4 processes: the run has `train.shards: 4`" not in done.stderr:
        raise Failure(f"the first run ended with {done.returncode} and said {done.stderr}")
    if "shards: 4" not in (run / "resolved.yaml").read_text():
        raise Failure("resolved.yaml does not say how many shards there are")
    for ranks, steps in [(2, ["--max-steps", "20"]), (3, ["--max-steps", "33"]), (1, [])]:
        last = trials.resume(run, ranks, steps)
    if last["digest"] != expected["digest"]:
        raise Failure(f"resumed by 2, 3 and 1 processes: {last['digest']}, not {expected['digest']}")
    trials.fails("more processes than shards", trials.launcher(5) + trials.words(None, None, ["--resume", str(run)]),
                 "5 processes cannot share 4 shards", 2)
    print("resumed by other numbers of processes: the same digest", flush=True)


def few_rows(trials):
    """Batches of fewer rows than shards, and with shards of different sizes."""
    for batch in (3, 7):
        more = ["--set", "train.shards=4", "--set", f"train.batch={batch}", "--max-steps", "5"]
        expected = trials.learn(trials.model, 1, 1, more)["digest"]
        for ranks in (2, 4):
            digest = trials.learn(trials.model, ranks, 1, more)["digest"]
            if digest != expected:
                raise Failure(f"4 shards of {batch} rows by {ranks} processes: {digest}, not {expected}")
    print("batches smaller than the shards: the same digest", flush=True)


def launches(trials):
    """What a machine lacks is said once, however many processes find it out."""
    folder = trials.folder / "installed"
    folder.mkdir()
    program = folder / "graphrun"
    shutil.copy(trials.program, program)
    words = [str(program), "train", str(trials.model), "--out", str(trials.new_run())]
    module = folder / "graphrun-mpi.so"
    if not (trials.modules / "graphrun-mpi.so").exists():
        trials.fails("no module", trials.launcher(3) + words, "built without MPI", 2)
    module.write_text("no library")
    trials.fails("a module that cannot be opened", trials.launcher(3) + words, "cannot open MPI: .*graphrun-mpi.so", 4)
    module.unlink()
    shutil.copy(pathlib.Path(trials.program).parent / "libgraphrun_allocations.so", module)
    trials.fails("a module of another build", trials.launcher(3) + words, "graphrun-mpi.so is of another build", 4)
    alone = ["mpirun", "-n", "1", *trials.words(trials.model, None), ":", "-n", "1", *words]
    trials.fails("a module of another build on one machine", alone, "process 2 of 2: .* is of another build")
    trials.fails("another MPI's launcher", ["env", "OMPI_COMM_WORLD_SIZE=2", *trials.words(trials.model, None)],
                 "the launcher has started 2 processes, and .* knows of 1", 4)
    alone = trials.new_run()
    done = subprocess.run(trials.words(trials.model, alone, ["--mpi", "--max-steps", "2"]), env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0 or "shards" in (alone / "resolved.yaml").read_text():
        raise Failure(f"one process that is asked for MPI: {done.returncode}, {done.stderr}")
    print("no module, another one, another MPI: one message", flush=True)


def on_two_machines(trials, differs):
    """A start of two processes that find different files under the same path."""
    model = trials.folder / f"{differs}.yaml"
    model.write_text(MODEL.replace("inputs:", "data: {train: {images: /proc/self/cwd/train.idx}, "
                                   "test: {images: /proc/self/cwd/test.idx}}\ninputs:", 1))
    out, words = trials.new_run(), ["mpirun"]
    for machine in ("first", "second"):
        folder = trials.folder / (machine + differs)
        folder.mkdir()
        for part in ("train", "test"):
            seed = machine if part == differs else part
            images = random.Random(seed).randbytes(128 * 784)
            (folder / f"{part}.idx").write_bytes(struct.pack(">4i", 0x803, 128, 28, 28) + images)
        words += ["-n", "1", "-wdir", str(folder), *trials.words(model, out, ["--set", "train.shards=2"]), ":"]
    return words[:-1]


def differences(trials):
    """What differs between processes is found before the first step."""
    def started(first, second):
        run = trials.new_run()
        return ["mpirun", "-n", "1", *trials.words(trials.model, run, first), ":",
                "-n", "1", *trials.words(trials.model, run, second)]

    shards = ["--set", "train.shards=2"]
    trials.fails("another model", started(shards, [*shards, "--set", "train.batch=32"]),
                 "process 2 of 2 has another model than process 1", 2)
    other = SMALL_DATA.replace("train-images", "t10k-images", 1).replace("train-labels", "t10k-labels", 1)
    trials.fails("other data", started(shards, [*shards, "--set", other]), "process 2 of 2 has (another model|other)")
    tiles, onednn = ([*shards, "--provider", name] for name in ("tiles", "onednn"))
    trials.fails("another provider", started(tiles, onednn),
                 "process 2 of 2 has another kind of processor, or another provider", 2)
    for part, message in [("train", "other training data"), ("test", "other test or validation data")]:
        trials.fails(message, on_two_machines(trials, part), f"process 2 of 2 has {message} than process 1", 2)
    weights = [str(trials.new_run()) for _ in range(2)]
    for seed, out in enumerate(weights):
        trials.learn(trials.model, 1, 1, ["--max-steps", "1", "--seed", str(seed)], out)
    trials.fails("other weights", started(*([*shards, "--weights", each] for each in weights)),
                 "process 2 of 2 has another beginning: other weights, or another checkpoint", 2)
    trials.fails("another end", started([*shards, "--max-steps", "5"], [*shards, "--max-steps", "9"]),
                 "process 2 of 2 has another --max-steps than process 1", 2)
    trials.fails("a node that mixes rows", trials.launcher(2) + trials.words(
        SOURCE / "models" / "wasserstein_ae.yaml", trials.new_run(), [*shards, "--set", SMALL_DATA]), "it joins rows of the batch", 3)
    taken = trials.new_run()
    taken.write_text("a file")
    trials.fails("a run directory that cannot be made", trials.launcher(3) + trials.words(trials.model, taken / "run"),
                 "run.*: error: cannot create the folder", 4)
    trials.fails("a model that is wrong", trials.launcher(3) + trials.words(trials.folder / "none.yaml", None),
                 "none.yaml", 4)
    trials.fails("a process that fails alone", started(shards, [*shards, "--weights", "none.safetensors"]),
                 "process 2 of 2: .*none.safetensors")
    print("differences between processes: one message, before the first step", flush=True)


def ranks_of(process):
    """The processes that a launcher has started, once they are there."""
    found = subprocess.run(["pgrep", "-P", str(process.pid), "-x", "graphrun"], capture_output=True, text=True,
                           check=False).stdout.split()
    return [int(each) for each in found]


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(0.005)


def checkpoints(run):
    return list((run / "checkpoints").glob("*.safetensors"))


def killed_in_its_first_epoch(trials):
    """The checkpoint from before the first step is what is left then."""
    more = ["--set", "train.shards=4", "--set", "train.epochs=2", "--set", "train.batch=4"]
    expected = trials.learn(trials.model, 1, 1, more)["digest"]
    run = trials.new_run()
    # Time enough to speak on a busy machine.
    environment = dict(ENVIRONMENT, OMPI_MCA_odls_base_sigkill_timeout="20")
    process = trials.started(run, 4, more, environment)
    wait_for(lambda: process.poll() is not None or len(ranks_of(process)) == 4, "four processes")
    ranks = ranks_of(process)
    wait_for(lambda: process.poll() is not None or checkpoints(run), "the first checkpoint")
    os.kill(max(ranks), signal.SIGKILL)
    _, said = process.communicate(timeout=SECONDS)
    if f"--resume {run} continues" not in said:
        raise Failure(f"killed in the first epoch: it said {said}")
    if [file.stem for file in checkpoints(run)] != ["step-00000000"]:
        raise Failure(f"killed in the first epoch: the run has {checkpoints(run)}")
    for number in (1, 2, 3):
        copy = trials.new_run()
        shutil.copytree(run, copy)
        digest = trials.resume(copy, number)["digest"]
        if digest != expected:
            raise Failure(f"killed in the first epoch, resumed by {number}: {digest}, not {expected}")
    print("killed in the first epoch and resumed by 1, 2 and 3: the same digest", flush=True)


def interrupted(trials, moments, seed):
    """A process that is killed, and Ctrl-C: a checkpoint is left from which any number continues."""
    killed_in_its_first_epoch(trials)
    chance = random.Random(seed)
    more = ["--set", "train.shards=4", "--set", "train.epochs=30"]
    expected = trials.learn(trials.model, 1, 1, more)["digest"]
    for moment in range(moments):
        run = trials.new_run()
        process = trials.begun(run, 4, more)
        time.sleep(chance.uniform(0, 0.4))
        by_hand = moment % 4 == 3
        ranks = ranks_of(process)
        if by_hand:
            process.send_signal(chance.choice([signal.SIGINT, signal.SIGTERM]))
        elif ranks:
            os.kill(chance.choice(ranks), signal.SIGKILL)
        try:
            _, said = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"moment {moment}: the others did not end") from None
        if "bug in graphrun" in said:
            raise Failure(f"moment {moment}: {said}")
        digest = trials.resume(run, 1 + moment % 3)["digest"]
        if digest != expected:
            raise Failure(f"moment {moment}: resumed by {1 + moment % 3}: {digest}, not {expected}")
    print(f"killed or interrupted {moments} times (seed {seed}) and resumed by 1, 2 and 3: the same digest", flush=True)


def left_by_its_launcher(trials):
    """A launcher that is killed cannot end its processes: they end by themselves."""
    more = ["--set", "train.shards=2", "--set", "train.epochs=40"]
    expected = trials.learn(trials.model, 1, 1, more)["digest"]
    run = trials.new_run()
    process = trials.begun(run, 2, more)
    ranks = ranks_of(process)
    process.kill()
    process.wait()
    wait_for(lambda: not any(pathlib.Path(f"/proc/{rank}").exists() for rank in ranks), "processes without a launcher")
    digest = trials.resume(run, 2)["digest"]
    if digest != expected:
        raise Failure(f"the launcher was killed, resumed by 2: {digest}, not {expected}")
    print("the launcher was killed: the processes ended, and resumed to the same digest", flush=True)


def without_room(trials):
    """The first process can write no more: it says so, and what was saved goes on."""
    more = ["--set", "train.shards=4", "--set", "train.epochs=40"]
    expected = trials.learn(trials.model, 1, 1, more)["digest"]
    run = trials.new_run()
    process = trials.begun(run, 4, more)
    resource.prlimit(min(ranks_of(process)), resource.RLIMIT_FSIZE, (100_000, 100_000))
    _, said = process.communicate(timeout=SECONDS)
    ours = [line for line in said.splitlines() if "error: " in line]
    left = f"; --resume {run} continues from them, with 1 to 4 processes"
    if process.returncode == 0 or len(ours) != 1 or "File too large" not in ours[0] or left not in said:
        raise Failure(f"no room for a checkpoint: {process.returncode}, {said}")
    digest = trials.resume(run, 3)["digest"]
    if digest != expected:
        raise Failure(f"resumed after there was no room for a checkpoint: {digest}, not {expected}")
    print("no room for a checkpoint: one message, and the same digest from what was saved", flush=True)


def others(trials):
    """What is wrong with the words of a command is said once; commands that share no work say so."""
    program = trials.program
    trials.fails("a flag that is none", [*trials.launcher(3), program, "train", str(trials.model), "--none"],
                 "error: graphrun train has no flag '--none'", 2)
    trials.fails("a model that is none", [*trials.launcher(3), program, "check", "none.yaml"], "none.yaml: error: ", 4)
    done = subprocess.run([*trials.launcher(2), program, "check", str(trials.model)], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    warning = "the launcher has started 2 processes, and each of them has done all of `check`"
    if done.returncode != 0 or done.stderr.count(warning) != 1 or done.stdout.count(": ok") != 2:
        raise Failure(f"two processes that check: {done.returncode}, {done.stdout}, {done.stderr}")
    print("other commands, and words that are wrong: one message", flush=True)


def stopped_for_a_while(trials):
    """A process that stands still holds up the others, and nothing else."""
    more = ["--set", "train.shards=2", "--set", "train.epochs=40"]
    expected = trials.learn(trials.model, 1, 1, more)["digest"]
    run = trials.new_run()
    process = trials.begun(run, 2, more)
    still = max(ranks_of(process))
    os.kill(still, signal.SIGSTOP)
    time.sleep(3)
    held = process.poll() is None
    os.kill(still, signal.SIGCONT)
    printed, said = process.communicate(timeout=SECONDS)
    if not held or process.returncode != 0 or json.loads(printed)["digest"] != expected:
        raise Failure(f"a process stood still: {process.returncode}, {printed}, {said}")
    print("a process stood still for three seconds: the same digest", flush=True)


def virtual_bytes(process):
    """Of a process that runs; nothing once it has ended."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmPeak:\s+(\d+) kB", status)
    return 1024 * int(found.group(1)) if found else None


def without_memory(trials):
    """One process gets no more memory: it says so, the others end, and what was saved goes on."""
    more = ["--set", "train.shards=4", "--set", "train.epochs=40"]
    expected = trials.learn(trials.model, 1, 1, more)["digest"]
    run = trials.new_run()
    process = trials.started(run, 4, more)
    # MPI takes memory of its own in the first steps, and is not asked what it does without.
    wait_for(lambda: process.poll() is not None or len(checkpoints(run)) > 1, "the checkpoint of the first epoch")
    ranks = ranks_of(process)
    peak = max(filter(None, map(virtual_bytes, ranks)))
    # The first one needs memory for each checkpoint.
    resource.prlimit(min(ranks), resource.RLIMIT_AS, (1, resource.RLIM_INFINITY))
    try:
        _, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failure("a process has no memory: the others did not end") from None
    ours = [line for line in said.splitlines() if "error: " in line]
    if process.returncode == 0 or len(ours) != 1 or "memory" not in ours[0] or "bug in graphrun" in said:
        raise Failure(f"a process has no memory: {process.returncode}, {said}")
    digest = trials.resume(run, 3)["digest"]
    if digest != expected:
        raise Failure(f"resumed after a process had no memory: {digest}, not {expected}")
    limit = (peak + (64 << 20)) // 1024
    words = trials.words(trials.wide, trials.new_run(), ["--set", "train.shards=2", "--set", "hidden=16384"])
    limited = ["-n", "1", "sh", "-c", f'ulimit -v {limit}; exec "$@"', "sh", *words]
    trials.fails("too little memory from the start", ["mpirun", "-n", "1", *words, ":", *limited],
                 "process 2 of 2: .*memory")
    print("one process without memory: one message, and the same digest from what was saved", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", default="")
    parser.add_argument("--modules", default="/usr/local/lib/graphrun",
                        help="where an installed graphrun has its module for MPI")
    flags = parser.parse_args()
    if shutil.which("mpirun") is None or not (pathlib.Path(flags.program).parent / "graphrun-mpi.so").exists():
        print("there is no mpirun, or graphrun was built without MPI: skipped")
        return 77
    trials_of = [same_bits, few_rows, resumed_by_others, launches, differences,
                 lambda trials: interrupted(trials, 20 if flags.all else 3, flags.seed), left_by_its_launcher,
                 without_memory, without_room, others, stopped_for_a_while]
    names = ["bits", "few rows", "resume", "launch", "differences", "interrupted", "launcher", "memory", "room", "others", "still"]
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(os.path.abspath(flags.program), flags.modules, folder)
        for name, trial in zip(names, trials_of):
            if flags.only in ("", name):
                trial(trials)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
