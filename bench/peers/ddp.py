"""Data parallelism beside PyTorch's: one training step of the networks of docs/performance.md by RANKS processes
of one thread each, DistributedDataParallel over gloo and graphrun over MPI, in turns on the same machine.

    python3 bench/peers/ddp.py build/release/graphrun [--ranks 2] [--rounds 3] [--json]

Prints the best step of each, in milliseconds. PyTorch is optional: without it its column is left out."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

NETS = {
    "S-128": ([784, 256, 128, 64, 2], 128),
    "S-1024": ([784, 256, 128, 64, 2], 1024),
    "N-128": ([784, 1000, 500, 250, 30], 128),
    "N-1024": ([784, 1000, 500, 250, 30], 1024),
}
STEPS = 40


def model_of(widths, batch):
    """The same network as a model file."""
    hidden = ", ".join(str(width) for width in widths[1:-1])
    back = ", ".join(str(width) for width in reversed(widths[1:-1]))
    return f"""graphrun: 1
name: ddp
data: fashion_mnist
inputs:
  x: {{shape: [batch, {widths[0]}]}}
nodes:
  enc: {{op: dense, in: x, repeat: [{hidden}], units: $item, act: tanh}}
  code: {{op: dense, in: enc, units: {widths[-1]}, act: tanh}}
  dec: {{op: dense, in: code, repeat: [{back}], units: $item, act: tanh}}
  recon: {{op: dense, in: dec, units: {widths[0]}, act: sigmoid}}
loss:
  reconstruction: {{op: mse, in: [recon, x]}}
train: {{optimizer: {{op: adam, lr: 1.0e-3}}, batch: {batch}, steps: {STEPS}, partial: drop, pictures: {{every: 0}}}}
"""


def graphrun_step(program, model, ranks, threads):
    """Milliseconds of a step: the difference between a long and a short run, so that what is done once drops out."""
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe"] if ranks > 1 else []
    with tempfile.TemporaryDirectory() as folder:
        words = [program, "train", model, "--json", "-q", "--threads", str(threads), "--out", folder + "/run"]
        done = subprocess.run(launcher + words, env=environment, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        return 1000 * result["seconds"] / result["steps"]


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    flags = parser.parse_args()
    torch = has_torch()
    if not torch:
        print("PyTorch is not installed: its column is left out", file=sys.stderr)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (widths, batch)) in enumerate(NETS.items()):
            model = pathlib.Path(folder) / f"{name}.yaml"
            model.write_text(model_of(widths, batch))
            best = {}
            for turn in range(flags.rounds):
                measured = {
                    f"graphrun, {flags.ranks} ranks": graphrun_step(flags.program, str(model), flags.ranks, 1),
                    f"graphrun, {flags.ranks} threads": graphrun_step(flags.program, str(model), 1, flags.ranks),
                }
                if torch:
                    port = 29500 + (os.getpid() + 10 * number + turn) % 2000
                    measured[f"DDP, {flags.ranks} ranks"] = torch_step(widths, batch, flags.ranks, port)
                for who, milliseconds in measured.items():
                    best[who] = min(best.get(who, milliseconds), milliseconds)
            rows[name] = best
            if not flags.json:
                print(f"{name:8}" + "".join(f"   {who}: {ms:8.2f} ms" for who, ms in best.items()), flush=True)
    if flags.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
