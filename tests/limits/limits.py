#!/usr/bin/env python3
"""Runs the command under limits of the system: little address space, few threads, closed descriptors, another
allocator. Each run ends well or says what the system refused: no signal, no hang, no bug report.

    limits.py PROGRAM [--all]     quick by default; --all takes steps of 2 MB from 60 to 200
"""

import argparse
import glob
import os
import resource
import shutil
import subprocess
import sys
import tempfile

MODEL = """graphrun: 1
name: small
vars: {hidden: 400}
data: {train: {images: train.npy}, test: {images: train.npy}}
inputs:
  x: {shape: [batch, 64]}
nodes:
  code:  {op: dense, in: x, units: $hidden, act: tanh}
  recon: {op: dense, in: code, units: 64, act: sigmoid}
outputs: {code: code, image: recon}
loss:
  reconstruction: {op: mse, in: [recon, x]}
train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 128, epochs: 2, seed: 1}
"""
SECONDS = 60
USER = 54321  # that has no processes: limits of threads are for each user, and root has none


def write_examples(path, rows=256, columns=64):
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d), }" % (rows, columns)
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        file.write(bytes((i * 37) % 256 for i in range(256)) * (rows * columns // 256))


def learnt_for_nothing(run):
    """Is there a line of an epoch, and no weights?"""
    try:
        with open(os.path.join(run, "metrics.csv"), encoding="utf-8") as file:
            return len(file.readlines()) > 1 and not os.listdir(os.path.join(run, "checkpoints"))
    except FileNotFoundError:
        return False


class Trials:
    def __init__(self, program, folder):
        self.program, self.folder, self.number, self.wrong, self.unsaid = program, folder, 0, [], 0

    def run(self, what, limits, expected, command="train", environment=None, sets=(), says=""):
        """`limits` is called in the child; `expected` are the exit codes that are right, `says` is in the log."""
        self.number += 1
        arguments = [self.program, command, os.path.join(self.folder, "model.yaml")]
        run = os.path.join(self.folder, f"run{self.number}")
        arguments += [word for each in sets for word in ("--set", each)]
        if command == "train":
            arguments += ["--out", run, "--threads", "2"]
        try:
            done = subprocess.run(arguments, preexec_fn=limits, capture_output=True, timeout=SECONDS,
                                  env={**os.environ, **(environment or {})}, cwd=self.folder, check=False)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"{what}: it was at work after {SECONDS} seconds")
            return None
        text = done.stderr.decode(errors="replace")
        if done.returncode not in expected:
            self.wrong.append(f"{what}: exit {done.returncode}\n{text[-600:]}")
        elif done.returncode != 0 and "error: " not in text and "closed" not in what:
            self.wrong.append(f"{what}: exit {done.returncode} without a reason")
        elif done.returncode == 1 and learnt_for_nothing(run):
            self.wrong.append(f"{what}: it learnt an epoch and kept nothing\n{text[-600:]}")
        elif "bug in graphrun" in text:
            self.wrong.append(f"{what}: it calls itself wrong\n{text[-600:]}")
        elif says not in text:
            self.wrong.append(f"{what}: it does not say '{says}'\n{text[-600:]}")
        elif text.rstrip().endswith("error: out of memory"):
            self.unsaid += 1
        return done.returncode


def address_space(megabytes):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1000000,) * 2)


def threads(count):
    def limit():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)
        resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
    return limit


def closed(descriptors):
    return lambda: [os.close(number) for number in descriptors]


def allocators():
    return glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="graphrun-limits-")
    os.chmod(folder, 0o777)
    try:
        with open(os.path.join(folder, "model.yaml"), "w", encoding="utf-8") as file:
            file.write(MODEL)
        write_examples(os.path.join(folder, "train.npy"))
        program = os.path.abspath(options.program)
        trials = Trials(program, folder)
        trials.run("no limit", lambda: None, {0})
        codes = [trials.run(f"{size} MB of address space", address_space(size), {0, 1})
                 for size in range(60, 201, 2 if options.all else 10)]
        large = os.path.join(folder, "large.npy")
        write_examples(large, rows=1000000)
        trials.run("a file that is larger than the memory", address_space(120), {1},
                   sets=[f"data.train.images={large}"], says="large.npy: error: there is not enough memory to read it")
        os.remove(large)
        for count in range(1, 7 if options.all else 4):
            if os.geteuid() == 0:  # of another user, who has as many processes as he likes, nothing is known
                trials.run(f"{count} threads", threads(count), {0, 1})
        for descriptors in ([0], [1], [2], [0, 1, 2]) if options.all else ([0, 1, 2],):
            trials.run(f"closed {descriptors}", closed(descriptors), {0, 1, 4})
        for allocator in allocators():
            trials.run(allocator, lambda: None, {0}, environment={"LD_PRELOAD": allocator})
        for fault in trials.wrong:
            print(fault)
        print(f"{trials.number} runs, {len(trials.wrong)} wrong, {trials.unsaid} without what memory lacked for; "
              f"by address space: {codes}")
        return 1 if trials.wrong else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
