"""The training step in NumPy: every array is made once, every operation writes into one."""

import numpy

import network


class Step:
    version = numpy.__version__

    def __init__(self, net, batch, _threads, _variant):
        self.x = network.images(net, batch)
        self.parameters = network.weights(net)
        self.gradients = [tuple(numpy.empty_like(p) for p in pair) for pair in self.parameters]
        self.slots = [[(numpy.zeros_like(p), numpy.zeros_like(p), numpy.empty_like(p)) for p in pair]
                      for pair in self.parameters]
        self.values = [self.x] + [numpy.empty((batch, w.shape[1]), numpy.float32) for w, _ in self.parameters]
        self.deltas = [numpy.empty_like(value) for value in self.values]
        self.spare = [numpy.empty_like(value) for value in self.values]
        self.count = 0

    def forward(self):
        last = len(self.parameters)
        for i, (weight, bias) in enumerate(self.parameters, 1):
            value = self.values[i]
            numpy.matmul(self.values[i - 1], weight, out=value)
            value += bias
            if i < last:
                numpy.tanh(value, out=value)
            else:  # 1 / (1 + exp(-value))
                numpy.negative(value, out=value)
                numpy.exp(value, out=value)
                value += 1
                numpy.reciprocal(value, out=value)

    def loss(self):
        numpy.subtract(self.values[-1], self.x, out=self.deltas[-1])
        return float(numpy.dot(self.deltas[-1].ravel(), self.deltas[-1].ravel())) / self.x.size

    def backward(self):
        last = len(self.parameters)
        for i in range(last, 0, -1):
            value, delta, spare = self.values[i], self.deltas[i], self.spare[i]
            if i == last:  # value (1 - value), of the mean of squares
                numpy.subtract(1, value, out=spare)
                spare *= value
                spare *= numpy.float32(2 / self.x.size)
            else:
                numpy.multiply(value, value, out=spare)
                numpy.subtract(1, spare, out=spare)
            delta *= spare
            gradient = self.gradients[i - 1]
            numpy.matmul(self.values[i - 1].T, delta, out=gradient[0])
            numpy.sum(delta, axis=0, out=gradient[1])
            if i > 1:
                numpy.matmul(delta, self.parameters[i - 1][0].T, out=self.deltas[i - 1])

    def update(self):
        self.count += 1
        first = numpy.float32(network.RATE / (1 - network.BETA1**self.count))
        second = numpy.float32((1 - network.BETA2**self.count) ** -0.5)
        for parameters, gradients, slots in zip(self.parameters, self.gradients, self.slots):
            for p, g, (m, v, spare) in zip(parameters, gradients, slots):
                m *= numpy.float32(network.BETA1)
                numpy.multiply(g, numpy.float32(1 - network.BETA1), out=spare)
                m += spare
                v *= numpy.float32(network.BETA2)
                numpy.multiply(g, g, out=spare)
                spare *= numpy.float32(1 - network.BETA2)
                v += spare
                numpy.sqrt(v, out=spare)
                spare *= second
                spare += numpy.float32(network.EPSILON)
                numpy.divide(m, spare, out=spare)
                spare *= first
                p -= spare

    def run(self, steps):
        """Does steps and returns the loss that the last one saw before its update."""
        for _ in range(steps):
            self.forward()
            loss = self.loss()
            self.backward()
            self.update()
        return loss
