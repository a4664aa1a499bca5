"""Networks as PyTorch exports them, imported and run by graphrun: torch_exports.py BUILD

Usual small networks go through both of PyTorch's exporters, at several opsets, with a free batch; what graphrun makes of
the files for another number of rows is held against PyTorch's own outputs. Exits 77, which ctest takes for skipped, where
PyTorch and onnx are not installed.
"""

import copy
import io
import math
import os
import pathlib
import subprocess
import sys
import warnings

SKIPPED = 77
try:
    import numpy as np
    import onnx
    import torch
    from onnx import numpy_helper
    from torch import nn
    from torch.nn import functional as F
except ImportError as error:
    print(f"{error.name} is not here")
    sys.exit(SKIPPED)

TOLERANCE = "2e-5"
EXPORTED_ROWS, ROWS = 2, 3
OPSETS = {"script": [13, 17], "dynamo": [18]}


# What graphrun does not import: a file, and why.
REFUSED = {
    "volume.": "windows over 3 axes",
}


class Residual(nn.Module):
    def __init__(self, before, after=None):
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x):
        y = x + self.before(x)
        return self.after(y) if self.after else y


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.pool = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()), nn.MaxPool2d(2)
        self.deep = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU())
        self.up, self.last = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(8, 1, 1)

    def forward(self, x):
        wide = self.down(x)
        return self.last(torch.cat([wide, self.up(self.deep(self.pool(wide)))], dim=1))


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.depth = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.norm, self.act = nn.BatchNorm2d(8), nn.Hardswish()
        self.small, self.wide = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x):
        y = self.act(self.norm(self.conv(x)))
        share = F.hardsigmoid(self.wide(F.relu(self.small(F.adaptive_avg_pool2d(y, 1)))))
        return self.depth(y) * share


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.cells = kind(5, 7, batch_first=True, **options)
        self.head = nn.Linear(14 if options.get("bidirectional") else 7, 3)

    def forward(self, x):
        return self.head(self.cells(x)[0][:, -1])


class Variational(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.mu, self.logvar, self.dec = nn.Linear(12, 8), nn.Linear(8, 2), nn.Linear(8, 2), nn.Linear(2, 12)

    def forward(self, x):
        h = torch.tanh(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        return torch.sigmoid(self.dec(mu)), mu, torch.exp(0.5 * logvar)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(20, 6, padding_idx=0), nn.Linear(6, 4)

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        mean = (self.table(ids) * mask).sum(1) / mask.sum(1).clamp(min=1)
        return F.log_softmax(self.head(mean), dim=-1)


class Attention(nn.Module):
    """Heads by view and transpose, a causal mask, as in a small GPT."""

    def __init__(self, heads=2, width=8):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.register_buffer("mask", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, c // self.heads).transpose(1, 2) for part in self.qkv(x).split(c, dim=2))
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        scores = scores.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf"))
        return self.out((F.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().view(b, t, c))


class FastAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        heads = [part(x).unflatten(-1, (2, 4)).transpose(1, 2) for part in (self.q, self.k, self.v)]
        return F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2)


class MultiHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Rotary(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rates", 1.0 / (10000 ** (torch.arange(0, 4, 2).float() / 4)))

    def forward(self, x):
        angles = torch.outer(torch.arange(x.shape[1]).float(), self.rates)
        angles = torch.cat([angles, angles], dim=-1)
        a, b = x[..., :2], x[..., 2:]
        return x * angles.cos() + torch.cat([-b, a], dim=-1) * angles.sin()


class TimeEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(8, 8), nn.SiLU(), nn.Linear(8, 3))

    def forward(self, t):
        rates = torch.exp(torch.arange(4) * (-math.log(100.0) / 3))
        angles = t * rates
        return self.head(torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1))


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.depth, self.norm = nn.Conv2d(6, 6, 7, padding=3, groups=6), nn.LayerNorm(6, eps=1e-6)
        self.wide, self.narrow, self.scale = nn.Linear(6, 24), nn.Linear(24, 6), nn.Parameter(torch.full((6,), 0.5))

    def forward(self, x):
        y = self.norm(self.depth(x).permute(0, 2, 3, 1))
        return x + (self.scale * self.narrow(F.gelu(self.wide(y)))).permute(0, 3, 1, 2)


class Windows(nn.Module):
    """Swin's windows, shifted."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 4)

    def forward(self, x):
        b, h, w, c = x.shape
        x = torch.roll(x, shifts=(-1, -1), dims=(1, 2))
        parts = x.view(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
        parts = self.mix(parts).view(b, h // 2, w // 2, 2, 2, c)
        return torch.roll(parts.permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c), shifts=(1, 1), dims=(1, 2))


class Patches(nn.Module):
    """The beginning and end of a vision transformer."""

    def __init__(self):
        super().__init__()
        self.cut, self.token = nn.Conv2d(3, 8, 4, stride=4), nn.Parameter(torch.randn(1, 1, 8))
        self.place, self.norm, self.head = nn.Parameter(torch.randn(1, 5, 8)), nn.LayerNorm(8), nn.Linear(8, 3)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", norm_first=True)

    def forward(self, x):
        x = self.cut(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.place
        return self.head(self.norm(self.layer(x))[:, 0])


class Assigned(nn.Module):
    def forward(self, x):
        y = x.clone()
        y[:, 1:3] = 0
        y[..., -1] = y[..., 0] * 2
        return y


class Chosen(nn.Module):
    def forward(self, x):
        best, place = torch.topk(x, 3, dim=1)
        return best, torch.cumsum(x, dim=1), torch.gather(x, 1, place), x.argmax(1).float(), torch.flip(x, [1]), x.std(1)


class Products(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3, 5))

    def forward(self, x):
        return torch.einsum("bti,iko->btko", x, self.w), torch.bmm(x, x.transpose(1, 2)), F.normalize(x, dim=-1)


class Reduced(nn.Module):
    def forward(self, x):
        return torch.logsumexp(x, 1), x.abs().sum(2), x.norm(dim=1), x.amax((1, 2)), x.prod(2), x.var(2, unbiased=False)


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.join = nn.Linear(4, 3), nn.Linear(5, 3), nn.Bilinear(3, 3, 2)

    def forward(self, a, b):
        return self.join(self.left(a), self.right(b))


class Wave(nn.Module):
    def __init__(self):
        super().__init__()
        self.filter, self.gate, self.out = nn.Conv1d(3, 4, 2, dilation=2), nn.Conv1d(3, 4, 2, dilation=2), nn.Conv1d(4, 3, 1)

    def forward(self, x):
        y = F.pad(x, (2, 0))
        return x + self.out(torch.tanh(self.filter(y)) * torch.sigmoid(self.gate(y)))


def floats(*shape):
    return lambda rows: (torch.randn(rows, *shape),)


def ids(length, most):
    return lambda rows: (torch.randint(0, most, (rows, length)),)


def conv(*arguments, **options):
    return nn.Conv2d(*arguments, padding=1, **options)


IMAGES = floats(3, 8, 8)
NETWORKS = {
    "mlp": (nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3), nn.Softmax(-1)), floats(6)),
    "cnn": (nn.Sequential(conv(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), conv(6, 4, 3), nn.LeakyReLU(0.1),
                          nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)), IMAGES),
    "residual": (Residual(nn.Sequential(conv(3, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), conv(3, 3, 3), nn.BatchNorm2d(3)),
                          nn.ReLU()), IMAGES),
    "mobile": (SqueezeExcite(), IMAGES),
    "unet": (UNet(), floats(1, 8, 8)),
    "transformer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), floats(5, 8)),
    "transformer_gelu": (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu",
                         norm_first=True), 2, enable_nested_tensor=False), floats(5, 8)),
    "lstm": (Recurrent(nn.LSTM), floats(6, 5)),
    "lstm_both_ways": (Recurrent(nn.LSTM, bidirectional=True, num_layers=2), floats(6, 5)),
    "gru": (Recurrent(nn.GRU), floats(6, 5)),
    "gru_both_ways": (Recurrent(nn.GRU, bidirectional=True), floats(6, 5)),
    "rnn": (Recurrent(nn.RNN), floats(6, 5)),
    "vae": (Variational(), floats(12)),
    "decoder": (nn.Sequential(nn.Linear(4, 32), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.BatchNorm2d(4),
                              nn.ReLU(), nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1), nn.Sigmoid()), floats(4)),
    "group_norm": (nn.Sequential(conv(3, 8, 3), nn.GroupNorm(4, 8), nn.SiLU(), conv(8, 2, 3)), IMAGES),
    "instance_norm": (nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.ELU()), IMAGES),
    "layer_norm": (nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3)), floats(6)),
    "gelu_tanh": (nn.Sequential(nn.Linear(6, 8), nn.GELU(approximate="tanh"), nn.Linear(8, 3), nn.Mish()), floats(4, 6)),
    "tokens": (Tokens(), ids(7, 20)),
    "attention": (Attention(), floats(6, 8)),
    "fast_attention": (FastAttention(), floats(6, 8)),
    "multi_head": (MultiHead(), floats(6, 8)),
    "rotary": (Rotary(), floats(5, 4)),
    "time_embedding": (TimeEmbedding(), floats(1)),
    "pixel_shuffle": (nn.Sequential(conv(3, 8, 3), nn.PixelShuffle(2), nn.PReLU(2), nn.PixelUnshuffle(2)), IMAGES),
    "upsample": (nn.Sequential(nn.Upsample(scale_factor=2), conv(3, 2, 3), nn.Upsample(scale_factor=2, mode="bilinear"),
                               nn.Upsample(size=(20, 20), mode="bilinear", align_corners=True)), IMAGES),
    "pads": (nn.Sequential(nn.ReplicationPad2d((1, 2, 0, 1)), nn.Conv2d(3, 2, 3), nn.ZeroPad2d((0, 1, 0, 1)), nn.ConstantPad2d(1, 2.0)), IMAGES),
    "pools": (nn.Sequential(nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Flatten()), floats(3, 13, 11)),
    "pools_inside": (nn.Sequential(nn.AvgPool2d(3, 2, 1, count_include_pad=False, ceil_mode=True), nn.LPPool2d(2, 2)), floats(2, 12, 12)),
    "same": (nn.Sequential(nn.Conv2d(3, 4, 4, padding="same"), nn.Hardtanh(), nn.Conv2d(4, 2, (3, 5), padding="same", dilation=2)), IMAGES),
    "convnext": (ConvNeXt(), floats(6, 8, 8)),
    "windows": (Windows(), floats(4, 4, 4)),
    "patches": (Patches(), IMAGES),
    "assigned": (Assigned(), floats(6, 4)),
    "chosen": (Chosen(), floats(7)),
    "products": (Products(), floats(5, 4)),
    "reduced": (Reduced(), floats(4, 3)),
    "both": (Both(), lambda rows: (torch.randn(rows, 4), torch.randn(rows, 5))),
    "wave": (Wave(), floats(3, 9)),
    "signal": (nn.Sequential(nn.Conv1d(3, 4, 3, stride=2, padding=1), nn.BatchNorm1d(4), nn.GLU(dim=1), nn.MaxPool1d(2),
                             nn.ConvTranspose1d(2, 3, 4, 2, 1)), floats(3, 16)),
    "volume": (nn.Sequential(nn.Conv3d(2, 3, 3, padding=1, stride=(1, 2, 2)), nn.BatchNorm3d(3), nn.ReLU(), nn.MaxPool3d(2),
                             nn.AdaptiveAvgPool3d(1), nn.Flatten()), floats(2, 4, 8, 8)),
    "weight_norm": (nn.utils.parametrizations.weight_norm(nn.Linear(5, 4)), floats(5)),
}


def dimensions(count):
    return [{0: torch.export.Dim("batch")} for _ in range(count)]


def exported(module, inputs, exporter, opset):
    """The file, as bytes."""
    names = [f"x{i}" for i in range(len(inputs))]
    buffer = io.BytesIO()
    options = {"input_names": names, "opset_version": opset}
    if exporter == "script":
        torch.onnx.export(module, inputs, buffer, dynamo=False, dynamic_axes={name: {0: "batch"} for name in names}, **options)
    else:
        program = torch.onnx.export(module, inputs, dynamo=True, dynamic_shapes=tuple(dimensions(len(inputs))), verbose=False, **options)
        return program.model_proto.SerializeToString()
    return buffer.getvalue()


def write_tensor(path, tensor):
    array = tensor.detach().numpy()
    path.write_bytes(numpy_helper.from_array(array, "").SerializeToString())


def write_case(folder, name, module, inputs, outputs, exporter, opset):
    place = folder / f"{name}.{exporter}.{opset}" / "test_data_set_0"
    place.mkdir(parents=True)
    (place.parent / "model.onnx").write_bytes(exported(module, inputs[0], exporter, opset))
    for i, tensor in enumerate(inputs[1]):
        write_tensor(place / f"input_{i}.pb", tensor)
    for i, tensor in enumerate(outputs):
        write_tensor(place / f"output_{i}.pb", tensor)


def write_cases(folder, chosen):
    torch.manual_seed(1)
    torch.backends.mha.set_fastpath_enabled(False)  # one fused op that no exporter has
    faults = []
    for name, (module, make) in NETWORKS.items():
        if chosen and name not in chosen:
            continue
        module = copy.deepcopy(module).eval()
        for part in module.modules():  # averages that differ from those of a fresh layer
            if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is not None:
                part.running_mean.normal_(0, 0.3)
                part.running_var.uniform_(0.5, 1.5)
        inputs = (make(EXPORTED_ROWS), make(ROWS))
        outputs = module(*inputs[1])
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for exporter, opsets in OPSETS.items():
            for opset in opsets:
                try:
                    write_case(folder, name, module, inputs, outputs, exporter, opset)
                except Exception as error:  # the exporter's own
                    faults.append(f"{name}.{exporter}.{opset} is not exported: {str(error).splitlines()[0][:200]}")
                    subprocess.run(["rm", "-rf", folder / f"{name}.{exporter}.{opset}"], check=True)
    return faults


def main():
    warnings.filterwarnings("ignore")
    build = pathlib.Path(sys.argv[1])
    folder = build / "torch-exports"
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir()
    not_exported = write_cases(folder, sys.argv[2:])
    print("\n".join(not_exported))
    report = build / "torch-exports.tsv"
    environment = dict(os.environ, GRAPHRUN_ONNX_NODES=str(folder), GRAPHRUN_ONNX_REPORT=str(report), GRAPHRUN_ONNX_TOLERANCE=TOLERANCE)
    subprocess.run([build / "tests/test_onnx", "[.onnx-nodes]"], env=environment, check=True, stdout=subprocess.DEVNULL)
    rows = [line.split("\t") for line in report.read_text().splitlines()]
    refused = [row for row in rows if any(row[0].startswith(name) and reason in row[2] for name, reason in REFUSED.items())]
    wrong = [row for row in rows if row[1] != "equal" and row not in refused]
    for row in wrong:
        print("\t".join(row))
    print(f"{len(rows) - len(wrong) - len(refused)} of {len(rows)} files compute what PyTorch does, {len(refused)} are refused")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
