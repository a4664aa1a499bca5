"""What a step costs on 1 to 256 nodes, on paper: the cost model of docs/scaling.md, and its tables.

    python3 bench/peers/scaling.py                                  the tables
    python3 bench/peers/scaling.py --fit build/release/graphrun     fits the model to two processes on this machine

A step of P nodes with one shard each costs

    rows      flop of B/P rows at the rate of a node
  + pieces    what every process pays for a step beside its rows: P times as many small kernels
  + exchange  each sends and receives (P-1)/P of the gradients, then of the weights, over the network, in 2 (P-1)
              messages; gradients of all layers but the first leave while the backward pass goes on, and weights of
              all layers but the first arrive while the next forward pass goes on
  + memory    sums are written, received and added, and weights gathered: passes over memory
  + update    a P-th of the weights and of two slots of Adam
"""

import statistics
import sys

from ranks_step import WIDTHS, arguments_of, seconds_of_epochs, seconds_side_by_side

NETS = {**WIDTHS, "100M": [784, 8192, 4096, 2048, 30]}
NODES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
FITTED = [(net, batch) for net in WIDTHS for batch in (128, 512, 1024)]
WITHIN = 0.2
NETWORKS = {"1 Gbit/s": (30e-6, 0.118e9), "10 Gbit/s": (15e-6, 1.18e9), "100 Gbit/s": (3e-6, 11.8e9)}


class Machine:
    """One node, as docs/performance.md measures it."""

    def __init__(self, flop=2 * 110e9, memory=12e9, pieces=0.15e-3):
        self.flop, self.memory, self.pieces = flop, memory, pieces


def parameters(widths):
    return 2 * sum(a * b for a, b in zip(widths, widths[1:])) + sum(widths[1:]) + sum(widths[:-1])


def step(widths, batch, nodes, latency, bandwidth, machine):
    """Seconds by part."""
    numbers = parameters(widths)
    bytes_of_sums = 4 * numbers
    rows = 6 * numbers * batch / nodes / machine.flop
    update = 7 * bytes_of_sums / nodes / machine.memory
    if nodes == 1:
        return {"rows": rows, "pieces": machine.pieces, "exchange": 0, "memory": 0, "update": update}
    share = (nodes - 1) / nodes
    one_way = (nodes - 1) * latency + share * bytes_of_sums / bandwidth
    behind_the_first = 1 - widths[0] * widths[1] / numbers
    forward, backward = rows / 3, 2 / 3 * rows
    exchange = 2 * one_way - behind_the_first * (min(one_way, backward) + min(one_way, forward))
    memory = 4 * bytes_of_sums / machine.memory
    return {"rows": rows, "pieces": machine.pieces, "exchange": exchange, "memory": memory, "update": update}


def table(batch_of, text):
    machine = Machine()
    print(text)
    print("| network | net | " + " | ".join(str(nodes) for nodes in NODES) + " | limit at 64 |")
    print("|---|---|" + "---|" * (len(NODES) + 1))
    for network, (latency, bandwidth) in NETWORKS.items():
        for net, widths in NETS.items():
            def rate(nodes):
                return batch_of(nodes) / sum(step(widths, batch_of(nodes), nodes, latency, bandwidth, machine).values())

            parts = step(widths, batch_of(64), 64, latency, bandwidth, machine)
            limit = max(parts, key=parts.get)
            speeds = [rate(nodes) / rate(1) for nodes in NODES]
            print(f"| {network} | {net} | " + " | ".join(f"{speed:.3g}" for speed in speeds) + f" | {limit} |")
    print()


def measure(program, rounds):
    """Seconds a step takes by (net, batch): all epochs of two processes that each learn half the rows and know nothing
    of each other, and of two that learn all rows together. Both have the machine's two cores, cache and memory to share
    with each other and with what else runs; one is measured right after the other."""
    apart, together = {key: [] for key in FITTED}, {key: [] for key in FITTED}
    for _ in range(rounds):
        for net, batch in FITTED:
            widths = NETS[net]
            each = 6 * parameters(widths) * batch / 2 / 50e9
            # An epoch lasts about so many seconds: one of them at least should be left alone by what else runs.
            steps = max(2, round(0.06 / each))
            apart[net, batch] += seconds_side_by_side(program, widths, batch // 2, 2, steps=steps, epochs=13)
            together[net, batch] += seconds_of_epochs(program, widths, batch, 2, steps=steps, epochs=12)
    return apart, together


def columns(keys):
    """What learning together may add: so much a step; so much a byte of gradients."""
    return [[1.0, 4.0 * parameters(NETS[net])] for net, _ in keys]


def least_squares(rows, values):
    """The non-negative factors of the columns for which relative errors are least: no message comes before it is sent.
    Each factor in turn takes its best value until none moves."""
    factors = [0.0] * len(rows[0])
    for _ in range(1_000):
        for i in range(len(factors)):
            column = [row[i] for row in rows]
            rest = [value - sum(factor * x for factor, x in zip(factors, row)) + factors[i] * row[i]
                    for row, value in zip(rows, values)]
            factors[i] = max(0.0, sum(x * y for x, y in zip(column, rest)) / sum(x * x for x in column))
    return factors


def fitted(keys, apart, together):
    rows = [[x / together[key] for x in row] for key, row in zip(keys, columns(keys))]
    return least_squares(rows, [1 - apart[key] / together[key] for key in keys])


def foretold(key, apart, together):
    """What the other measurements of two processes that learn together say of this one."""
    factors = fitted([other for other in apart if other != key], apart, together)
    return apart[key] + sum(factor * x for factor, x in zip(factors, columns([key])[0]))


def spread(seconds):
    """By how much the middle of the measurements lies over the best."""
    return statistics.median(seconds) / min(seconds) - 1


def print_fit(apart, together):
    """Each measurement beside what the others say of it. Bests count: what else runs makes no step shorter. True where
    all are foretold as well as docs/scaling.md says."""
    best_apart, best_together = ({key: min(seconds) for key, seconds in of.items()} for of in (apart, together))
    each_step, a_byte = fitted(FITTED, best_apart, best_together)
    print(f"learning together takes two processes {1e6 * each_step:.0f} us a step and {1e9 * a_byte:.2f} ns a byte of gradients")
    worst = without = 0
    for key in FITTED:
        said = foretold(key, best_apart, best_together)
        error = said / best_together[key] - 1
        worst = max(worst, abs(error))
        without = max(without, 1 - best_apart[key] / best_together[key])
        print(f"{key[0]}-{key[1]:<5} half the rows apart {1e3 * best_apart[key]:7.2f} ms (+{100 * spread(apart[key]):.0f} %)"
              f"   together {1e3 * best_together[key]:7.2f} ms (+{100 * spread(together[key]):.0f} %)"
              f"   by the others {1e3 * said:7.2f} ms ({100 * error:+.0f} %)")
    moved = max(spread(seconds) for of in (apart, together) for seconds in of.values())
    print(f"foretold within {100 * worst:.0f} %, {100 * WITHIN:.0f} % are promised; if learning together cost nothing, within "
          f"{100 * without:.0f} %. In brackets: how far the median lies over the best, {100 * moved:.0f} % at most")
    if moved > WITHIN:
        print("the machine was not quiet: other programs took time from the steps that are compared")
    return worst <= WITHIN


def main():
    parser = arguments_of(__doc__)
    parser.add_argument("--fit", metavar="PROGRAM")
    flags = parser.parse_args()
    if flags.fit:
        sys.exit(0 if print_fit(*measure(flags.fit, flags.rounds)) else 1)
    table(lambda nodes: 1024, "A batch of 1,024 in all: how many times as fast as one node.\n")
    table(lambda nodes: 1024 * nodes, "1,024 rows a node: how many times as many rows a second as one node.\n")


if __name__ == "__main__":
    main()
