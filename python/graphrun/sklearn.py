"""An autoencoder with the manners of scikit-learn: in pipelines, searches and pickles.

    from graphrun.sklearn import Autoencoder
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    detector = make_pipeline(StandardScaler(), Autoencoder(hidden=(32,), units=4)).fit(normal)
    odd = detector.predict(new) == -1

Needs scikit-learn 1.6 or newer, which `pip install graphrun` does not bring.
"""

import numbers

import numpy
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import Model, Session

__all__ = ["Autoencoder"]

_NETWORK = """
graphrun: 1
name: autoencoder
inputs:
  x: {{shape: [batch, {columns}]}}
nodes:
  enc:  {{op: dense, in: x, repeat: {hidden}, units: $item, act: {activation}}}
  code: {{op: dense, in: enc, units: {units}}}
  dec:  {{op: dense, in: code, repeat: {mirrored}, units: $item, act: {activation}}}
  reconstruction: {{op: dense, in: dec, units: {columns}}}
outputs: {{code: code, reconstruction: reconstruction}}
loss:
  reconstruction: {{op: mse, in: [reconstruction, x]}}
train:
  optimizer: {{op: adam, lr: {learning_rate!r}}}
  batch: {batch}
  epochs: {epochs}
"""


class Autoencoder(OutlierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learns to draw rows again from a few numbers each, the code, with a network of dense layers.

    `transform` gives the codes, `inverse_transform` the rows that codes stand for, `score_samples` how well a row is
    drawn again, and `predict` which rows are drawn so badly that they are outliers. Columns should have similar scales:
    put a StandardScaler before it. Everything is computed in float32; equal data, parameters and `random_state` give
    the same bits at any number of threads.

    Parameters
    ----------
    hidden : sequence of int, default (64,)
        Units of the layers between the rows and the code, mirrored after it. () for none.
    units : int, default 8
        Numbers in a code.
    activation : str, default "tanh"
        Of the hidden layers: any activation of graphrun, such as "relu" or "gelu".
    epochs, batch : int, default 100 and 64
        How often all rows are seen, and how many in one step of the optimizer.
    learning_rate : float, default 0.001
        Adam's.
    contamination : float in (0, 0.5], default 0.01
        The share of the training rows that `predict` takes for outliers.
    random_state : int, RandomState or None, default 42
        Seed of the weights and of the order of rows.
    threads : int, default 0
        0 for as many as the process may use.

    Attributes
    ----------
    session_ : graphrun.Session
        The trained network: `session_.model` is its graph, `session_.export_onnx` takes it elsewhere.
    loss_ : list of float
        Mean training loss of each epoch: the squared error per row, mean over columns.
    offset_ : float
        Scores below it are outliers.
    n_features_in_, feature_names_in_
        Columns of the training rows, and their names where they have some.
    """

    def __init__(
        self,
        hidden=(64,),
        units=8,
        *,
        activation="tanh",
        epochs=100,
        batch=64,
        learning_rate=0.001,
        contamination=0.01,
        random_state=42,
        threads=0,
    ):
        self.hidden = hidden
        self.units = units
        self.activation = activation
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.contamination = contamination
        self.random_state = random_state
        self.threads = threads

    def fit(self, X, y=None):
        """Trains a new network on the rows of `X` (rows, columns). `y` is not looked at.

        Raises ValueError for parameters or rows that make no sense, graphrun.ModelError for what the network refuses
        (an activation that does not exist), graphrun.NotFiniteError when the learning diverges.
        """
        X = self._rows(X, reset=True)
        model = self._model(X.shape[1])
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        session = Session(model, threads=self.threads, seed=seed)
        self.loss_ = [report.train["loss"] for report in session.epochs(X)]
        self.session_ = session
        self.offset_ = float(numpy.quantile(self.score_samples(X), self.contamination))
        return self

    def transform(self, X):
        """The codes, (rows, units), float32."""
        check_is_fitted(self)
        return self._run(self._rows(X), "code")

    def inverse_transform(self, X):
        """The rows that the codes `X` (rows, units) stand for, (rows, columns), float32."""
        check_is_fitted(self)
        codes = numpy.ascontiguousarray(X, dtype=numpy.float32)
        if codes.ndim != 2 or codes.shape[1] != self.units:
            raise ValueError(f"codes have the shape (rows, {self.units}), these {codes.shape}")
        return self.session_.run("reconstruction", {"code": codes})

    def reconstruct(self, X):
        """The rows as they are drawn again from their codes, (rows, columns), float32."""
        check_is_fitted(self)
        return self._run(self._rows(X), "reconstruction")

    def score_samples(self, X):
        """Minus the mean squared error of each row, (rows,), float64: the lower, the more abnormal.

        A row's score does not depend on the rows beside it.
        """
        check_is_fitted(self)
        rows = self._rows(X)
        errors = self._run(rows, "reconstruction").astype(numpy.float64) - rows
        return -numpy.mean(errors * errors, axis=1)

    def decision_function(self, X):
        """`score_samples` from `offset_`: negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """-1 for outliers, 1 for the others, (rows,)."""
        return numpy.where(self.decision_function(X) < 0, -1, 1)

    def _run(self, rows, output):
        return self.session_.run(output, rows)

    def _rows(self, X, reset=False):
        return validate_data(self, X, reset=reset, dtype=numpy.float32, order="C")

    def _model(self, columns):
        hidden = [_count("hidden", units) for units in self.hidden]
        if not 0 < self.contamination <= 0.5:
            raise ValueError(f"contamination is above 0 and at most 0.5, not {self.contamination!r}")
        if not isinstance(self.learning_rate, numbers.Real) or not self.learning_rate > 0:
            raise ValueError(f"learning_rate is a number above 0, not {self.learning_rate!r}")
        text = _NETWORK.format(
            columns=columns,
            hidden=hidden,
            mirrored=hidden[::-1],
            units=_count("units", self.units),
            activation=self.activation,
            learning_rate=float(self.learning_rate),
            batch=_count("batch", self.batch),
            epochs=_count("epochs", self.epochs),
        )
        return Model.parse(text, "autoencoder.yaml")

    @property
    def _n_features_out(self):
        return self.units

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _count(name, value):
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"{name} is a whole number from 1, not {value!r}")
    return int(value)
