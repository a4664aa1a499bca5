"""What a step costs on 1 to 256 nodes, on paper: the cost model of docs/scaling.md, and its tables.

    python3 bench/peers/scaling.py                                  the tables
    python3 bench/peers/scaling.py --fit build/release/graphrun     fits the model to 1 and 2 processes on this machine

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

from ranks_step import WIDTHS, arguments_of, seconds_of_step

NETS = {**WIDTHS, "100M": [784, 8192, 4096, 2048, 30]}
NODES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
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


def fit(program, rounds):
    """What two processes here cost each other: their rows take longer, since cores that are busy together share cache,
    memory and clock; and there is what a step and what a byte of gradients cost. Each measurement is foretold from the
    other three."""
    alone, together = {}, {}
    for _ in range(rounds):
        for key in [("S", 128), ("S", 1024), ("N", 128), ("N", 1024)]:
            net, batch = key
            alone[key] = min(alone.get(key, 1e9), seconds_of_step(program, NETS[net], batch // 2, 1))
            together[key] = min(together.get(key, 1e9), seconds_of_step(program, NETS[net], batch, 2))
    print_fit(alone, together)


def print_fit(alone, together):
    """Of half the rows in one process, and all of them in two."""
    def longer(net):
        return (together[net, 1024] - together[net, 128]) / (alone[net, 1024] - alone[net, 128])

    beside = statistics.mean([longer("S"), longer("N")])
    of_small, of_large = (statistics.mean(together[net, batch] - beside * alone[net, batch] for batch in (128, 1024))
                          for net in ("S", "N"))
    small, large = (4 * parameters(NETS[net]) for net in ("S", "N"))
    seconds_a_byte = (of_large - of_small) / (large - small)
    each_step = of_small - small * seconds_a_byte
    print(f"beside each other two processes take {beside:.2f} times as long for their rows, {1e6 * each_step:.0f} us a "
          f"step and {1e9 * seconds_a_byte:.2f} ns a byte of gradients ({1e-9 / seconds_a_byte:.1f} GB/s)")
    for net, batch in together:
        other = net, 1024 if batch == 128 else 128
        foretold = together[other] + longer("N" if net == "S" else "S") * (alone[net, batch] - alone[other])
        print(f"{net}-{batch}: half the rows alone {1e3 * alone[net, batch]:.2f} ms, two processes "
              f"{1e3 * together[net, batch]:.2f} ms, by the others {1e3 * foretold:.2f} ms "
              f"({100 * (foretold / together[net, batch] - 1):+.0f} %)")


def main():
    parser = arguments_of(__doc__)
    parser.add_argument("--fit", metavar="PROGRAM")
    flags = parser.parse_args()
    if flags.fit:
        fit(flags.fit, flags.rounds)
        return
    table(lambda nodes: 1024, "A batch of 1,024 in all: how many times as fast as one node.\n")
    table(lambda nodes: 1024 * nodes, "1,024 rows a node: how many times as many rows a second as one node.\n")


if __name__ == "__main__":
    main()
