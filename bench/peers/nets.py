"""The nets with convolutions and noise, from the bundled models: C is models/convolutional.yaml, K classifier.yaml,
G gan.yaml (both players), V vae.yaml.

Each is written once, over the operations of a peer (`o`), with the parameters under graphrun's names and in its
layouts; a peer keeps them as it likes best. Noise and the order of examples are graphrun's own while losses are
compared (philox.py), and drawn by the peer while it is timed.
"""

import json
import pathlib
import re
import struct
import subprocess

import numpy

import philox

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATE, BETA2, EPSILON, SEED = 1e-3, 0.999, 1e-8, 1
CHECKED_STEPS = 3


def _pixels(batch):
    return numpy.random.RandomState(2).randint(0, 256, (batch, 784)).astype(numpy.uint8)


class Net:
    model = ""       # of models/
    shape = (28, 28, 1)
    beta1 = 0.9
    noise = {}       # path: (kind, columns)
    # Each optimizer's: a prefix of the parameters' names.
    players = ("",)
    tolerance = 1e-4  # relative, of losses: statistics of batches and Adam's signs magnify rounding

    def __init__(self, batch):
        self.batch = batch

    # What one player minimises; `n` are draws by path, `y` labels.
    def loss(self, o, p, x, y, n, player):
        raise NotImplementedError

    def inputs(self, step):
        """Images and labels in the order in which graphrun takes them in its step, from 0: an epoch each."""
        order = philox.order(SEED, step, self.batch)
        x = (_pixels(self.batch) / numpy.float32(255)).astype(numpy.float32).reshape(self.batch, *self.shape)
        return x[order], labels(self.batch)[order].astype(numpy.int64)

    def draws(self, update):
        kinds = {"normal": philox.normal, "uniform": philox.uniform}
        return {path: kinds[kind](path, SEED, philox.TRAINING, update, self.batch, columns)
                for path, (kind, columns) in self.noise.items()}


def labels(batch):
    return numpy.random.RandomState(3).randint(0, 10, batch).astype(numpy.uint8)


def dense(o, p, name, x):
    return o.dense(x, p[f"{name}.w"], p.get(f"{name}.b"))


def down(o, p, name, x):
    h = o.conv(x, p[f"{name}.c.w"], None, 1, 1)
    return o.max_pool(o.relu(o.batch_norm(h, p[f"{name}.n.gain"], p[f"{name}.n.shift"])))


class Convolutional(Net):
    model = "convolutional"

    def loss(self, o, p, x, y, n, player):
        h = down(o, p, "enc.1", down(o, p, "enc.0", x))
        wide = o.relu(dense(o, p, "wide", dense(o, p, "code", o.flatten(h))))
        up = o.relu(o.conv_transpose(o.image(wide, 7, 7, 32), p["up.y.w"], p["up.y.b"]))
        recon = o.sigmoid(o.conv_transpose(up, p["recon.y.w"], p["recon.y.b"]))
        return o.mean((recon - x) ** 2)


class Classifier(Net):
    model = "classifier"
    noise = {"kept.draw": ("uniform", 64)}

    def loss(self, o, p, x, y, n, player):
        h = down(o, p, "enc.1", down(o, p, "enc.0", x))
        code = o.relu(dense(o, p, "code", o.flatten(h)))
        return o.cross_entropy(dense(o, p, "logits", o.dropped(code, n["kept.draw"], 0.3)), y)


class Gan(Net):
    model = "gan"
    beta1 = 0.5
    noise = {"z": ("normal", 64)}
    players = ("D.", "G.")

    def loss(self, o, p, x, y, n, player):
        fake = self.painted(o, p, n["z"])
        if player == "G.":
            return o.mean(o.softplus(-self.critic(o, p, fake)))
        real, drawn = self.critic(o, p, x), self.critic(o, p, o.constant(fake))
        return o.mean(o.softplus(real) - 0.9 * real) + o.mean(o.softplus(drawn))

    def painted(self, o, p, z):
        h = o.image(dense(o, p, "G.wide", z), 7, 7, 48)
        h = o.relu(o.batch_norm(h, p["G.n1.gain"], p["G.n1.shift"]))
        h = o.conv_transpose(h, p["G.up.w"], None)
        h = o.relu(o.batch_norm(h, p["G.n2.gain"], p["G.n2.shift"]))
        return o.sigmoid(o.conv_transpose(h, p["G.y.w"], p["G.y.b"]))

    def critic(self, o, p, x):
        for name in ("D.c.0.c", "D.c.1.c"):
            x = o.leaky_relu(o.conv(x, p[f"{name}.w"], p[f"{name}.b"], 2, 1), 0.2)
        return dense(o, p, "D.y", o.flatten(x))


class Vae(Net):
    model = "vae"
    shape = (784,)
    noise = {"eps": ("normal", 20)}
    tolerance = 2e-5

    def loss(self, o, p, x, y, n, player):
        enc = o.relu(dense(o, p, "enc", x))
        mu, logvar = dense(o, p, "mu", enc), dense(o, p, "logvar", enc)
        z = mu + o.exp(0.5 * logvar) * n["eps"]
        logits = dense(o, p, "logits", o.relu(dense(o, p, "dec", z)))
        bce = o.sum(o.softplus(logits) - x * logits) / self.batch
        return bce + o.sum(0.5 * (mu**2 + o.exp(logvar) - logvar - 1)) / self.batch


NETS = {"C": Convolutional, "K": Classifier, "G": Gan, "V": Vae}


# ---- For graphrun ----


def write_for_graphrun(folder, net, batch, command):
    """model.yaml, data and weights.safetensors in a folder: the weights are those that graphrun begins with, one
    step later."""
    folder = pathlib.Path(folder)
    header = struct.pack(">HBBIII", 0, 8, 3, batch, 28, 28)
    (folder / "images.idx").write_bytes(header + _pixels(batch).tobytes())
    (folder / "labels.idx").write_bytes(struct.pack(">HBBI", 0, 8, 1, batch) + labels(batch).tobytes())
    text = (ROOT / "models" / f"{NETS[net].model}.yaml").read_text(encoding="utf-8")
    text = text.replace("[blocks/", f"[{ROOT}/models/blocks/").replace("# yaml-language-server", "#")
    files = "{images: images.idx, labels: labels.idx}"
    for pattern, value in [(r"^data: .*$", f"data: {{train: {files}, test: {files}}}"),
                           (r"\blr: (\{cosine.*?\}\}|\$?[\w.-]+)", f"lr: {RATE}"),
                           (r"\bbatch: \d+", f"batch: {batch}"), (r"\bepochs: \d+", f"epochs: {CHECKED_STEPS + 1}")]:
        text = re.sub(pattern, value, text, flags=re.MULTILINE)
    text = re.sub(r"lr: 0.001\}, epochs", "lr: 0.001, epochs", text)
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    subprocess.run([command, "train", "model.yaml", "--out", "begin", "--max-steps", "1", "-q", "--no-progress"],
                   cwd=folder, check=True, capture_output=True)
    newest = max((folder / "begin" / "checkpoints").glob("*.safetensors"))
    newest.rename(folder / "weights.safetensors")


def read_weights(path):
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    return {name: numpy.frombuffer(data, numpy.float32, offset=8 + length + about["data_offsets"][0],
                                   count=int(numpy.prod(about["shape"], dtype=numpy.int64))).reshape(about["shape"])
            for name, about in header.items() if name != "__metadata__" and "/" not in name
            and not name.endswith((".mean", ".variance"))}
