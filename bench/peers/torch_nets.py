"""The nets of nets.py in PyTorch: images as channels first, in the memory format that its convolutions like."""

import torch
import torch.nn.functional as F

import nets


class Operations:
    relu, sigmoid, softplus, exp, mean, sum = F.relu, torch.sigmoid, F.softplus, torch.exp, torch.mean, torch.sum

    dense = staticmethod(lambda x, w, b: F.linear(x, w, b))
    conv = staticmethod(lambda x, w, b, stride, pad: F.conv2d(x, w, b, stride=stride, padding=pad))
    conv_transpose = staticmethod(lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1))
    batch_norm = staticmethod(lambda x, gain, shift: F.batch_norm(x, None, None, gain, shift, training=True, eps=1e-5))
    max_pool = staticmethod(lambda x: F.max_pool2d(x, 2))
    leaky_relu = staticmethod(F.leaky_relu)
    cross_entropy = staticmethod(F.cross_entropy)
    constant = staticmethod(lambda x: x.detach())
    flatten = staticmethod(lambda x: x.permute(0, 2, 3, 1).flatten(1))
    image = staticmethod(lambda x, h, w, c: x.view(-1, h, w, c).permute(0, 3, 1, 2))
    dropped = staticmethod(lambda x, draw, amount: x * (draw >= amount) / (1 - amount))


def as_kept(array):
    """Weights of layers are [out, in], of convolutions [out, in, h, w]."""
    value = torch.from_numpy(array.copy())
    if value.ndim == 2:
        return value.t().contiguous()
    if value.ndim == 4:
        return value.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    return value


def as_image(array):
    value = torch.from_numpy(array.copy())
    return value.permute(0, 3, 1, 2) if value.ndim == 4 else value


class Step:
    version = torch.__version__

    def __init__(self, net, batch, threads, variant, weights):
        torch.set_num_threads(threads)
        self.net = nets.NETS[net](batch)
        self.parameters = {name: as_kept(array).requires_grad_() for name, array in nets.read_weights(weights).items()}
        self.optimizers = {}
        for player in self.net.players:
            own = [value for name, value in self.parameters.items() if name.startswith(player)]
            self.optimizers[player] = torch.optim.Adam(own, lr=nets.RATE, eps=nets.EPSILON, betas=(self.net.beta1, nets.BETA2),
                                                       fused=None if variant == "eager" else True)
        # What an update does not learn gets no gradient.
        self.learnt = {player: [value for name, value in self.parameters.items() if name.startswith(player)]
                       for player in self.net.players}

        def loss(x, y, noise, player):
            return self.net.loss(Operations, self.parameters, x, y, noise, player)

        self.loss = torch.compile(loss) if variant == "compile" else loss
        self.update = 0
        self.checking = True
        self.x = self.y = None

    def noise(self):
        if self.checking:
            return {path: torch.from_numpy(value) for path, value in self.net.draws(self.update).items()}
        return {path: torch.randn(self.net.batch, columns) if kind == "normal" else torch.rand(self.net.batch, columns)
                for path, (kind, columns) in self.net.noise.items()}

    def run(self, steps):
        total = 0.0
        for _ in range(steps):
            if self.checking:
                x, y = self.net.inputs(self.update // len(self.net.players))
                self.x, self.y = as_image(x), torch.from_numpy(y)
            losses = []
            for player in self.net.players:
                loss = self.loss(self.x, self.y, self.noise(), player)
                for parameter, gradient in zip(self.learnt[player], torch.autograd.grad(loss, self.learnt[player])):
                    parameter.grad = gradient
                self.optimizers[player].step()
                losses.append(loss.detach())
                self.update += 1
            total = sum(losses)
        return float(total)
