"""The training step in PyTorch: eager with the default Adam, eager with the fused one, and compiled; with products
of bf16 by autocast."""

import torch

import network


class Step:
    version = torch.__version__

    def __init__(self, net, batch, threads, variant, precision="f32"):
        torch.set_num_threads(threads)
        self.x = torch.from_numpy(network.images(net, batch))
        modules = []
        for (_, inputs, outputs), (weight, bias) in zip(network.layers(net), network.weights(net)):
            layer = torch.nn.Linear(inputs, outputs)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))
            modules += [layer, torch.nn.Tanh()]
        modules[-1] = torch.nn.Sigmoid()
        model = torch.nn.Sequential(*modules)
        # fused=None is what Adam does when nothing is said.
        self.optimizer = torch.optim.Adam(model.parameters(), lr=network.RATE, eps=network.EPSILON,
                                          betas=(network.BETA1, network.BETA2),
                                          fused=None if variant == "eager" else True)

        def loss(x):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                image = model(x)
            return torch.nn.functional.mse_loss(image.float(), x)

        self.loss = torch.compile(loss) if variant == "compile" else loss

    def run(self, steps):
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(self.x)
            loss.backward()
            self.optimizer.step()
        return float(loss.detach())
