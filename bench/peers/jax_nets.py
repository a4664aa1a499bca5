"""The nets of nets.py in JAX: one jit a player of loss, gradients and Adam, its state donated."""

import functools

import jax
import jax.numpy as jnp

import nets

FORMAT = ("NHWC", "HWIO", "NHWC")


def convolved(x, w, b, stride, pad):
    y = jax.lax.conv_general_dilated(x, w, (stride, stride), [(pad, pad)] * 2, dimension_numbers=FORMAT)
    return y if b is None else y + b


def transposed(x, w, b):
    """The gradient of a convolution by its images: w is that convolution's, [h, w, to, from]."""
    turned = jnp.flip(w, (0, 1)).swapaxes(2, 3)
    y = jax.lax.conv_general_dilated(x, turned, (1, 1), [(2, 2)] * 2, lhs_dilation=(2, 2), dimension_numbers=FORMAT)
    return y if b is None else y + b


def normalised(x, gain, shift):
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) * (gain / jnp.sqrt(x.var(axes) + 1e-5)) + shift


class Operations:
    relu, sigmoid, softplus = jax.nn.relu, jax.nn.sigmoid, jax.nn.softplus
    exp, mean, sum = jnp.exp, jnp.mean, jnp.sum
    leaky_relu = staticmethod(jax.nn.leaky_relu)
    dense = staticmethod(lambda x, w, b: x @ w if b is None else x @ w + b)
    conv = staticmethod(convolved)
    conv_transpose = staticmethod(transposed)
    batch_norm = staticmethod(normalised)
    max_pool = staticmethod(lambda x: jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"))
    cross_entropy = staticmethod(lambda z, y: jnp.mean(jax.nn.logsumexp(z, axis=-1) - jnp.take_along_axis(z, y[:, None], 1)[:, 0]))
    constant = staticmethod(jax.lax.stop_gradient)
    flatten = staticmethod(lambda x: x.reshape(x.shape[0], -1))
    image = staticmethod(lambda x, h, w, c: x.reshape(-1, h, w, c))
    dropped = staticmethod(lambda x, draw, amount: x * (draw >= amount) / (1 - amount))


@functools.partial(jax.jit, static_argnames=("net", "player"), donate_argnums=0)
def train(state, others, x, y, noise, net, player):
    """One update of a player's parameters; `noise` is a key, or the draws themselves."""
    own, first, second, count = state
    if not isinstance(noise, dict):
        keys = jax.random.split(noise, max(1, len(net.noise)))
        noise = {path: (jax.random.normal if kind == "normal" else jax.random.uniform)(key, (net.batch, columns))
                 for key, (path, (kind, columns)) in zip(keys, net.noise.items())}
    loss, gradients = jax.value_and_grad(lambda own: net.loss(Operations, {**others, **own}, x, y, noise, player))(own)
    tree = jax.tree_util.tree_map
    first = tree(lambda m, g: net.beta1 * m + (1 - net.beta1) * g, first, gradients)
    second = tree(lambda v, g: nets.BETA2 * v + (1 - nets.BETA2) * g * g, second, gradients)
    count = count + 1
    rate = nets.RATE / (1 - net.beta1**count)
    scale = 1 / jnp.sqrt(1 - nets.BETA2**count)
    own = tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + nets.EPSILON), own, first, second)
    return (own, first, second, count), loss


class Step:
    version = jax.__version__

    def __init__(self, net, batch, _threads, _variant, weights):
        self.net = nets.NETS[net](batch)
        self.states = {}
        for player in self.net.players:
            own = {name: jnp.array(value) for name, value in nets.read_weights(weights).items() if name.startswith(player)}
            zeros = lambda: jax.tree_util.tree_map(jnp.zeros_like, own)  # noqa: E731
            self.states[player] = (own, zeros(), zeros(), jnp.float32(0))
        self.key = jax.random.key(0)
        self.update = 0
        self.checking = True
        self.x = self.y = None

    def noise(self):
        if self.checking:
            return {path: jnp.array(value) for path, value in self.net.draws(self.update).items()}
        return jax.random.fold_in(self.key, self.update)

    def run(self, steps):
        total = 0.0
        for _ in range(steps):
            if self.checking:
                x, y = self.net.inputs(self.update // len(self.net.players))
                self.x, self.y = jnp.array(x), jnp.array(y)
            losses = []
            for player in self.net.players:
                others = {name: value for other in self.net.players if other != player
                          for name, value in self.states[other][0].items()}
                self.states[player], loss = train(self.states[player], others, self.x, self.y, self.noise(), self.net, player)
                losses.append(loss)
                self.update += 1
            total = sum(losses)
        jax.block_until_ready(self.states)
        return float(total)
