#!/usr/bin/env python3
"""Makes tests/goldens/: training trajectories in f64 by an implementation that shares nothing with graphrun.

    scripts/goldens.py            writes the files (NumPy; gradients by hand)
    scripts/goldens.py --check    compares them with PyTorch's autograd and optimizers, if it is installed

The rules for weights, noise and batches are exact in IEEE double precision, so that any program can follow
them; tests/goldens/README.md states them. Run it with an interpreter that has NumPy, and PyTorch to check:
on Debian `apt install python3-numpy python3-torch` and /usr/bin/python3.
"""

import gzip
import json
import math
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "tests" / "goldens"
IMAGES = ROOT / "data" / "fashion_mnist_1200" / "train-images-idx3-ubyte.gz"

STEPS, BATCH = 100, 16


# ---- The rules ----


def uniform(name, count):
    """`count` numbers in [0, 1), from a name: splitmix64 in counter mode, its key the FNV-1a hash of the name."""
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = (key ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(key) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def initial(name, shape, bound):
    """Uniform in [-bound, bound), row-major."""
    return ((2.0 * uniform(name, math.prod(shape)) - 1.0) * bound).reshape(shape)


def noise(name, shape):
    """Nearly normal: the sum of twelve uniforms, less six. The sum is exact, in any order."""
    count = math.prod(shape)
    return (uniform(name, 12 * count).reshape(count, 12).sum(axis=1) - 6.0).reshape(shape)


def images():
    with gzip.open(IMAGES) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 784) / 255.0


def batch(pixels, step):
    return pixels[(BATCH * step + np.arange(BATCH)) % len(pixels)]


# ---- Networks: forward, and gradients by hand ----


def sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


# Each activation, and its derivative by its output.
ACTIVATIONS = {
    "linear": (lambda z: z, lambda y: np.ones_like(y)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "relu": (lambda z: np.maximum(z, 0), lambda y: (y > 0).astype(float)),
    "sigmoid": (sigmoid, lambda y: y * (1 - y)),
}


def dense(parameters, name, x, act):
    return ACTIVATIONS[act][0](x @ parameters[name + ".w"] + parameters[name + ".b"])


def dense_gradient(parameters, gradients, name, x, y, act, dy):
    """Adds the layer's gradients; returns that of its input."""
    dz = dy * ACTIVATIONS[act][1](y)
    gradients[name + ".w"] = x.T @ dz
    gradients[name + ".b"] = dz.sum(axis=0)
    return dz @ parameters[name + ".w"].T


class Chain:
    """Dense layers in a row, mean squared error against the clean images."""

    def __init__(self, layers, noisy=None):
        self.layers = layers  # (name, inputs, outputs, activation)
        self.noisy = noisy  # amount of noise, or None

    def feeds(self, x, step):
        if self.noisy is None:
            return {"x": x}
        return {"x": x, "noisy": x + self.noisy * noise(f"noise.{step}", x.shape)}

    def loss(self, parameters, feeds):
        values = [feeds.get("noisy", feeds["x"])]
        for name, _, _, act in self.layers:
            values.append(dense(parameters, name, values[-1], act))
        error = values[-1] - feeds["x"]
        gradients, dy = {}, 2 * error / error.size
        for (name, _, _, act), x, y in reversed(list(zip(self.layers, values, values[1:]))):
            dy = dense_gradient(parameters, gradients, name, x, y, act, dy)
        return {"loss": np.mean(error * error)}, gradients

    def torch_loss(self, torch, parameters, feeds):
        y = feeds.get("noisy", feeds["x"])
        for name, _, _, act in self.layers:
            y = torch_dense(torch, parameters, name, y, act)
        return torch.nn.functional.mse_loss(y, feeds["x"])


class Variational:
    def __init__(self, hidden, units):
        self.units = units
        self.layers = [
            ("enc", 784, hidden, "relu"),
            ("mu", hidden, units, "linear"),
            ("logvar", hidden, units, "linear"),
            ("dec", units, hidden, "relu"),
            ("logits", hidden, 784, "linear"),
        ]

    def feeds(self, x, step):
        return {"x": x, "eps": noise(f"noise.{step}", (len(x), self.units))}

    def loss(self, parameters, feeds):
        x, eps = feeds["x"], feeds["eps"]
        enc = dense(parameters, "enc", x, "relu")
        mu = dense(parameters, "mu", enc, "linear")
        logvar = dense(parameters, "logvar", enc, "linear")
        deviation = np.exp(0.5 * logvar)
        z = mu + deviation * eps
        dec = dense(parameters, "dec", z, "relu")
        logits = dense(parameters, "logits", dec, "linear")
        bce = np.maximum(logits, 0) - logits * x + np.log1p(np.exp(-np.abs(logits)))
        kl = -0.5 * (1 + logvar - mu * mu - np.exp(logvar))
        rows = len(x)
        terms = {"bce": bce.sum() / rows, "kl": kl.sum() / rows}

        gradients = {}
        dlogits = (sigmoid(logits) - x) / rows
        ddec = dense_gradient(parameters, gradients, "logits", dec, logits, "linear", dlogits)
        dz = dense_gradient(parameters, gradients, "dec", z, dec, "relu", ddec)
        dmu = dz + mu / rows
        dlogvar = dz * eps * 0.5 * deviation + 0.5 * (np.exp(logvar) - 1) / rows
        denc = dense_gradient(parameters, gradients, "mu", enc, mu, "linear", dmu)
        denc = denc + dense_gradient(parameters, gradients, "logvar", enc, logvar, "linear", dlogvar)
        dense_gradient(parameters, gradients, "enc", x, enc, "relu", denc)
        return {"loss": terms["bce"] + terms["kl"], **terms}, gradients

    def torch_loss(self, torch, parameters, feeds):
        x = feeds["x"]
        enc = torch_dense(torch, parameters, "enc", x, "relu")
        mu = torch_dense(torch, parameters, "mu", enc, "linear")
        logvar = torch_dense(torch, parameters, "logvar", enc, "linear")
        dec = torch_dense(torch, parameters, "dec", mu + torch.exp(0.5 * logvar) * feeds["eps"], "relu")
        logits = torch_dense(torch, parameters, "logits", dec, "linear")
        bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return (bce - 0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())) / len(x)


def torch_dense(torch, parameters, name, x, act):
    activations = {"linear": lambda z: z, "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
    return activations[act](x @ parameters[name + ".w"] + parameters[name + ".b"])


def chain(hidden, units, act, code_act, noisy=None):
    sizes = [784, *hidden]
    layers = [(f"enc.{i}", sizes[i], sizes[i + 1], act) for i in range(len(hidden))]
    layers.append(("code", hidden[-1], units, code_act))
    sizes = [units, *reversed(hidden)]
    layers += [(f"dec.{i}", sizes[i], sizes[i + 1], act) for i in range(len(hidden))]
    layers.append(("recon", hidden[0], 784, "sigmoid"))
    return Chain(layers, noisy)


# The lecture's network has its own widths; the others are narrow, which costs less and shows as much.
MODELS = {
    "autoencoder": (chain([256, 128, 64], 2, "tanh", "tanh"), []),
    "stacked_ae": (
        chain([64, 32, 16], 8, "relu", "linear"),
        ["hidden=[64,32,16]", "units=8", "train.phases=[{name: all, epochs: 1}]"],
    ),
    "denoising_ae": (chain([32, 16], 8, "relu", "linear", noisy=0.3), ["hidden=[32,16]", "units=8"]),
    "vae": (Variational(32, 20), ["hidden=32"]),
}


def parameters_of(layers):
    parameters = {}
    for name, inputs, outputs, _ in layers:
        bound = 1 / math.sqrt(inputs)
        parameters[name + ".w"] = initial(name + ".w", (inputs, outputs), bound)
        parameters[name + ".b"] = initial(name + ".b", (outputs,), bound)
    return parameters


# ---- Optimizers, as PyTorch defines them ----


def clip(gradients, options):
    if (limit := options.get("clip_value")) is not None:
        gradients = {name: np.clip(g, -limit, limit) for name, g in gradients.items()}
    if (limit := options.get("clip_norm")) is not None:
        norm = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
        gradients = {name: g * min(1.0, limit / (norm + 1e-6)) for name, g in gradients.items()}
    return gradients


def updated(options, p, g, state, t):
    """The parameter after step t (from 1) with gradient g; `state` holds the slots of this parameter."""
    op, lr, decay = options["op"], options["lr"], options.get("weight_decay", 0.0)
    if op == "adamw":
        p = p - lr * decay * p
    elif decay:
        g = g + decay * p
    if op == "sgd":
        momentum = options.get("momentum", 0.0)
        if momentum:
            state["velocity"] = g if t == 1 else momentum * state["velocity"] + g
            g = g + momentum * state["velocity"] if options.get("nesterov") else state["velocity"]
        return p - lr * g
    if op in ("adam", "adamw"):
        beta1, beta2, eps = options.get("beta1", 0.9), options.get("beta2", 0.999), options.get("eps", 1e-8)
        state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
        denominator = np.sqrt(state["v"]) / math.sqrt(1 - beta2**t) + eps
        return p - lr / (1 - beta1**t) * state["m"] / denominator
    if op == "nadam":
        beta1, beta2, eps = options.get("beta1", 0.9), options.get("beta2", 0.999), options.get("eps", 1e-8)
        momentum = lambda i: beta1 * (1 - 0.5 * 0.96 ** (i * options.get("momentum_decay", 4e-3)))
        state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
        state["product"] = state.get("product", 1.0) * momentum(t)
        denominator = np.sqrt(state["v"] / (1 - beta2**t)) + eps
        p = p - lr * (1 - momentum(t)) / (1 - state["product"]) * g / denominator
        return p - lr * momentum(t + 1) / (1 - state["product"] * momentum(t + 1)) * state["m"] / denominator
    if op == "rmsprop":
        alpha, eps, momentum = options.get("alpha", 0.99), options.get("eps", 1e-8), options.get("momentum", 0.0)
        state["square"] = alpha * state.get("square", 0.0) + (1 - alpha) * g * g
        step = g / (np.sqrt(state["square"]) + eps)
        if momentum:
            state["velocity"] = step = momentum * state.get("velocity", 0.0) + step
        return p - lr * step
    if op == "adagrad":
        state["sum"] = state.get("sum", 0.0) + g * g
        return p - lr * g / (np.sqrt(state["sum"]) + options.get("eps", 1e-10))
    raise ValueError(op)


OPTIMIZERS = {
    "sgd": {"op": "sgd", "lr": 0.5},
    "sgd_momentum": {"op": "sgd", "lr": 0.2, "momentum": 0.9},
    "sgd_nesterov": {"op": "sgd", "lr": 0.2, "momentum": 0.9, "nesterov": True},
    "sgd_weight_decay": {"op": "sgd", "lr": 0.2, "momentum": 0.9, "weight_decay": 0.1},
    "sgd_nesterov_weight_decay": {"op": "sgd", "lr": 0.2, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
    "adam": {"op": "adam", "lr": 0.05},
    "adam_settings": {"op": "adam", "lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1},
    "adamw": {"op": "adamw", "lr": 0.05, "weight_decay": 0.2},
    "nadam": {"op": "nadam", "lr": 0.05},
    "nadam_settings": {
        "op": "nadam", "lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 1.0,
    },
    "rmsprop": {"op": "rmsprop", "lr": 0.02},
    "rmsprop_settings": {
        "op": "rmsprop", "lr": 0.02, "alpha": 0.9, "eps": 1e-4, "momentum": 0.5, "weight_decay": 0.1,
    },
    "adagrad": {"op": "adagrad", "lr": 0.2},
    "adagrad_settings": {"op": "adagrad", "lr": 0.2, "eps": 1e-3, "weight_decay": 0.1},
    "sgd_clip_value": {"op": "sgd", "lr": 0.5, "momentum": 0.9, "clip_value": 0.05},
    "sgd_clip_norm": {"op": "sgd", "lr": 0.5, "momentum": 0.9, "clip_norm": 0.1},
    "adam_clip_norm": {"op": "adam", "lr": 0.05, "clip_norm": 0.1},
}
TINY_STEPS = 20


class Tiny:
    """tanh(x @ w + b) against y, mean squared error: three inputs, two outputs, four rows."""

    layers = [("layer", 3, 2, "tanh")]

    def __init__(self):
        self.x, self.y = initial("tiny.x", (4, 3), 1.0), initial("tiny.y", (4, 2), 1.0)

    def feeds(self, _x, _step):
        return {"x": self.x, "y": self.y}

    def loss(self, parameters, feeds):
        p = dense(parameters, "layer", feeds["x"], "tanh")
        error = p - feeds["y"]
        gradients = {}
        dense_gradient(parameters, gradients, "layer", feeds["x"], p, "tanh", 2 * error / error.size)
        return {"loss": np.mean(error * error)}, gradients

    def torch_loss(self, torch, parameters, feeds):
        return torch.nn.functional.mse_loss(torch_dense(torch, parameters, "layer", feeds["x"], "tanh"), feeds["y"])


# ---- Runs ----


def run(network, options, steps, pixels=None):
    """Trains; yields per step (terms, gradients before clipping, parameters after the update)."""
    parameters = parameters_of(network.layers)
    state = {name: {} for name in parameters}
    for step in range(steps):
        x = None if pixels is None else batch(pixels, step)
        terms, gradients = network.loss(parameters, network.feeds(x, step))
        clipped = clip(gradients, options)
        for name, p in parameters.items():
            parameters[name] = updated(options, p, clipped[name], state[name], step + 1)
        yield terms, gradients, dict(parameters)


def torch_run(torch, network, options, steps, pixels=None, dtype=None):
    """The same with PyTorch's autograd and optimizers: yields the loss per step and the parameters after it."""
    dtype = dtype or torch.float64
    parameters = {
        name: torch.tensor(value, dtype=dtype).requires_grad_() for name, value in parameters_of(network.layers).items()
    }
    settings = {k: v for k, v in options.items() if k not in ("op", "beta1", "beta2", "clip_value", "clip_norm")}
    if options["op"] in ("adam", "adamw", "nadam"):
        settings["betas"] = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    kinds = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "nadam": "NAdam", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
    optimizer = getattr(torch.optim, kinds[options["op"]])(list(parameters.values()), **settings)
    for step in range(steps):
        x = None if pixels is None else batch(pixels, step)
        feeds = {name: torch.tensor(value, dtype=dtype) for name, value in network.feeds(x, step).items()}
        optimizer.zero_grad()
        loss = network.torch_loss(torch, parameters, feeds)
        loss.backward()
        if "clip_value" in options:
            torch.nn.utils.clip_grad_value_(parameters.values(), options["clip_value"])
        if "clip_norm" in options:
            torch.nn.utils.clip_grad_norm_(parameters.values(), options["clip_norm"])
        optimizer.step()
        yield loss.item(), {name: p.detach().numpy().copy() for name, p in parameters.items()}


def write_json(path, lines):
    """One key a line, so that differences are readable; numbers with the digits that give the double back."""
    path.write_text("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in lines.items()) + "\n}\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def write_model(name, pixels):
    network, settings = MODELS[name]
    steps = list(run(network, {"op": "adam", "lr": 1e-3}, STEPS, pixels))
    start = parameters_of(network.layers)
    content = {
        "model": f"models/{name}.yaml",
        "set": settings,
        "batch": BATCH,
        "steps": STEPS,
        "optimizer": {"op": "adam", "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        "parameters": [
            {"name": key, "shape": list(value.shape), "bound": 1 / math.sqrt(inputs), "first": value.flat[0],
             "last": value.flat[-1]}
            for layer, inputs, _, _ in network.layers
            for key, value in ((f"{layer}.w", start[f"{layer}.w"]), (f"{layer}.b", start[f"{layer}.b"]))
        ],
        "feeds": {
            key: {"shape": list(value.shape), "sum_step_0": value.sum(), "last_step_0": value.flat[-1]}
            for key, value in network.feeds(batch(pixels, 0), 0).items()
        },
    }
    for term in steps[0][0]:
        content[term] = [float(terms[term]) for terms, _, _ in steps]
    write_json(GOLDENS / f"{name}.json", content)


def write_optimizers():
    content = {}
    for name, options in OPTIMIZERS.items():
        steps = list(run(Tiny(), options, TINY_STEPS))
        flat = lambda values: [*values["layer.w"].flatten().tolist(), *values["layer.b"].tolist()]
        content[name] = {
            "optimizer": options,
            "loss": [float(terms["loss"]) for terms, _, _ in steps],
            "gradients": [flat(gradients) for _, gradients, _ in steps],
            "parameters": [flat(parameters) for _, _, parameters in steps],
        }
    tiny = Tiny()
    start = parameters_of(tiny.layers)
    write_json(GOLDENS / "optimizers.json", {
        "x": tiny.x.tolist(), "y": tiny.y.tolist(), "w": start["layer.w"].tolist(), "b": start["layer.b"].tolist(),
        **content,
    })


# ---- Fréchet distances ----


def frechet_rows(name, rows, width, units):
    """Rows of `width` correlated values that depend on `units` numbers each; f32, as features are."""
    mixed = noise(name, (rows, units)) @ initial(name + ".mix", (units, width), 1.0)
    return (mixed + initial(name + ".mean", (width,), 0.5)).astype(np.float32)


def frechet_distance(a, b):
    """By the eigenvalues of the product of the covariances, which is not symmetric."""
    covariances = [np.cov(rows.astype(np.float64), rowvar=False) for rows in (a, b)]
    roots = np.sqrt(np.maximum(np.linalg.eigvals(covariances[0] @ covariances[1]).real, 0)).sum()
    difference = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    return float(difference @ difference + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * roots)


# Full covariances; one of less than full rank; fewer rows than values.
FRECHET = {"full": (40, 6, 6), "flat": (30, 8, 3), "few": (6, 9, 9)}


def write_frechet():
    cases = {}
    for name, (rows, width, units) in FRECHET.items():
        a, b = (frechet_rows(f"frechet.{name}.{side}", rows, width, units) for side in "ab")
        cases[name] = {"rows": rows, "width": width, "distance": frechet_distance(a, b),
                       "a": a.flatten().tolist(), "b": b.flatten().tolist()}
    write_json(GOLDENS / "frechet.json", cases)


def relative(a, b):
    return float(np.max(np.abs(np.asarray(a) - np.asarray(b)) / np.maximum(np.abs(np.asarray(b)), 1e-300)))


def check(pixels):
    """Compares the committed files with PyTorch. Returns whether all agree to 1e-12."""
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # in which NAdam keeps its product of momenta
    agree = True

    def report(name, difference):
        nonlocal agree
        agree &= difference <= 1e-12
        print(f"{name}: greatest relative difference from PyTorch in f64 {difference:.1e}")

    for name, (network, _) in MODELS.items():
        golden = json.loads((GOLDENS / f"{name}.json").read_text())["loss"]
        options = {"op": "adam", "lr": 1e-3}
        report(name, relative(golden, [loss for loss, _ in torch_run(torch, network, options, STEPS, pixels)]))
        single = [loss for loss, _ in torch_run(torch, network, options, STEPS, pixels, torch.float32)]
        print(f"    PyTorch in f32: {relative(single[:10], golden[:10]):.1e} over 10 steps, {relative(single, golden):.1e} over all")
    golden = json.loads((GOLDENS / "optimizers.json").read_text())
    for name, options in OPTIMIZERS.items():
        steps = list(torch_run(torch, Tiny(), options, TINY_STEPS))
        flat = [[*p["layer.w"].flatten(), *p["layer.b"]] for _, p in steps]
        report(name, max(relative(golden[name]["loss"], [loss for loss, _ in steps]),
                         relative(golden[name]["parameters"], flat)))
    return agree


def main():
    pixels = images()
    if sys.argv[1:] == ["--check"]:
        return 0 if check(pixels) else 1
    GOLDENS.mkdir(exist_ok=True)
    for name in MODELS:
        write_model(name, pixels)
    write_optimizers()
    write_frechet()
    return 0


if __name__ == "__main__":
    sys.exit(main())
