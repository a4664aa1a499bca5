import numpy
import pytest

import graphrun

TEXT = """
graphrun: 1
name: small
vars: {units: 3}
inputs:
  x: {shape: [batch, 12]}
nodes:
  enc:   {op: dense, in: x, units: 8, act: tanh}
  code:  {op: dense, in: enc, units: $units}
  dec:   {op: dense, in: code, units: 8, act: tanh}
  recon: {op: dense, in: dec, units: 12, act: sigmoid}
outputs: {code: code, image: recon}
loss:
  reconstruction: {op: mse, in: [recon, x]}
train: {optimizer: {op: adam, lr: 0.01}, batch: 16, epochs: 3, seed: 42}
"""


@pytest.fixture
def model():
    return graphrun.Model.parse(TEXT, "small.yaml")


@pytest.fixture
def session(model):
    return graphrun.Session(model, threads=1)


@pytest.fixture
def rows():
    return numpy.random.default_rng(7).random((64, 12), dtype=numpy.float32)
