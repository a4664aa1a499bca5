"""Data parallelism beside PyTorch's: one training step of the networks of docs/performance.md by RANKS processes
of one thread each, DistributedDataParallel over gloo and graphrun over MPI, in turns on the same machine.

    python3 bench/peers/ddp.py build/release/graphrun [--ranks 2] [--rounds 3] [--json]

Prints the best step of each, in milliseconds. PyTorch is optional: without it its column is left out."""

import json
import os
import sys
import time

from ranks_step import WIDTHS, arguments_of, seconds_of_step

STEPS = 40


def torch_rank(rank, ranks, widths, batch, port, results):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    torch.manual_seed(0)
    sizes = widths + widths[-2::-1]
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers += [torch.nn.Linear(a, b), torch.nn.Sigmoid() if i + 2 == len(sizes) else torch.nn.Tanh()]
    net = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(*layers))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    x = torch.rand(batch // ranks, widths[0])
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(x), x).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    results.put(1000 * sum(times[5:]) / len(times[5:]))
    dist.destroy_process_group()


def torch_step(widths, batch, ranks, port):
    import torch.multiprocessing as processes

    context = processes.get_context("spawn")
    results = context.Queue()
    group = [context.Process(target=torch_rank, args=(rank, ranks, widths, batch, port, results))
             for rank in range(ranks)]
    for process in group:
        process.start()
    slowest = max(results.get(timeout=300) for _ in group)
    for process in group:
        process.join()
    return slowest


def has_torch():
    try:
        import torch.distributed

        return torch.distributed.is_available()
    except ImportError:
        return False


def measure(program, widths, batch, ranks, port):
    """Milliseconds of a step by contestant; `port` is None where PyTorch is not installed."""
    measured = {
        f"graphrun, {ranks} ranks": 1000 * seconds_of_step(program, widths, batch, ranks),
        f"graphrun, {ranks} threads": 1000 * seconds_of_step(program, widths, batch, 1, threads=ranks),
    }
    if port is not None:
        measured[f"DDP, {ranks} ranks"] = torch_step(widths, batch, ranks, port)
    return measured


def main():
    parser = arguments_of(__doc__)
    parser.add_argument("program")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    flags = parser.parse_args()
    torch = has_torch()
    if not torch:
        print("PyTorch is not installed: its column is left out", file=sys.stderr)
    rows = {}
    port = 29500 + os.getpid() % 2000
    for net, batch in [("S", 128), ("S", 1024), ("N", 128), ("N", 1024)]:
        best = {}
        for _ in range(flags.rounds):
            port += 1  # the last one's may not be free yet
            measured = measure(flags.program, WIDTHS[net], batch, flags.ranks, port if torch else None)
            best = {who: min(best.get(who, ms), ms) for who, ms in measured.items()}
        rows[f"{net}-{batch}"] = best
        if not flags.json:
            print(f"{net + '-' + str(batch):8}" + "".join(f"   {who}: {ms:8.2f} ms" for who, ms in best.items()),
                  flush=True)
    if flags.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
