"""One peer in a process of its own: contestant.py PEER VARIANT NET BATCH THREADS PRECISION [WEIGHTS]

Prints a line of JSON when it is ready (its version, and the losses by which it is checked) and then, for each
line `SECONDS` on its standard input, one with the times of its steps in microseconds. Steps are timed in runs
of about ten milliseconds and awaited at the end of each, which is to the advantage of a peer that queues them.
"""

import importlib
import json
import sys
import time

import network


def measure(step, seconds, per_run):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        step.run(per_run)
        times.append((time.perf_counter() - begin) / per_run * 1e6)
    return times


def main():
    peer, variant, net, batch, threads, precision, *weights = sys.argv[1:]
    module = importlib.import_module(f"{peer}_{'step' if net in network.WIDTHS else 'nets'}")
    precisions = {} if precision == "f32" else {"precision": precision}
    step = module.Step(net, int(batch), int(threads), variant, *weights, **precisions)
    losses = [step.run(1) for _ in range(network.CHECKED_STEPS + 1)]
    step.checking = False
    measure(step, 0.2, 1)
    per_run = max(1, int(10_000 / min(measure(step, 0.1, 1))))
    print(json.dumps({"version": module.Step.version, "losses": losses}), flush=True)
    for line in sys.stdin:
        measure(step, 0.03, 1)  # the others have taken the caches
        print(json.dumps(measure(step, float(line), per_run)), flush=True)


if __name__ == "__main__":
    main()
