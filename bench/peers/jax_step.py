"""The training step in JAX: one jit of loss, gradients and Adam, its state donated."""

import functools

import jax
import jax.numpy as jnp

import network


def loss_of(parameters, x):
    value = x
    for weight, bias in parameters[:-1]:
        value = jnp.tanh(value @ weight + bias)
    weight, bias = parameters[-1]
    return jnp.mean((jax.nn.sigmoid(value @ weight + bias) - x) ** 2)


@functools.partial(jax.jit, donate_argnums=0)
def train(state, x):
    parameters, first, second, count = state
    loss, gradients = jax.value_and_grad(loss_of)(parameters, x)
    tree = jax.tree_util.tree_map
    first = tree(lambda m, g: network.BETA1 * m + (1 - network.BETA1) * g, first, gradients)
    second = tree(lambda v, g: network.BETA2 * v + (1 - network.BETA2) * g * g, second, gradients)
    count = count + 1
    rate = network.RATE / (1 - network.BETA1**count)
    scale = 1 / jnp.sqrt(1 - network.BETA2**count)
    parameters = tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + network.EPSILON), parameters, first, second)
    return (parameters, first, second, count), loss


class Step:
    version = jax.__version__

    def __init__(self, net, batch, _threads, _variant):
        parameters = [(jnp.array(w), jnp.array(b)) for w, b in network.weights(net)]
        zeros = lambda: jax.tree_util.tree_map(jnp.zeros_like, parameters)  # noqa: E731
        self.state = (parameters, zeros(), zeros(), jnp.float32(0))
        self.x = jnp.array(network.images(net, batch))

    def run(self, steps):
        for _ in range(steps):
            self.state, loss = train(self.state, self.x)
        jax.block_until_ready(self.state)
        return float(loss)
