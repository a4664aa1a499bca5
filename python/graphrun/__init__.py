"""graphrun trains neural networks that are written as a graph in one YAML file.

    model = graphrun.Model.load("models/autoencoder.yaml")
    session = graphrun.Session(model)
    for report in session.epochs(pixels, epochs=5):
        print(report)
    codes = session.encode(pixels)

A Predictor serves a trained model from many threads, a TablePredictor one that has learnt from a table, a Run is the
folder that `graphrun train` left, and graphrun.sklearn has an estimator. Every failure is raised as a class derived
from graphrun.Error. Results are the same bits at any number of threads.
"""

import copyreg as _copyreg

from ._core import (
    EpochReport,
    Epochs,
    Model,
    NodeInfo,
    Predictor,
    Session,
    TablePredictor,
    TensorInfo,
    Weights,
    __version__,
)
from .errors import (
    CancelledError,
    DataError,
    Diagnostic,
    Error,
    FileError,
    InternalError,
    ModelError,
    NotFiniteError,
    OutOfMemoryError,
    UsageError,
)
from .notebook import model_html as _model_html
from .run import Run

__all__ = [
    "CancelledError",
    "DataError",
    "Diagnostic",
    "EpochReport",
    "Epochs",
    "Error",
    "FileError",
    "InternalError",
    "Model",
    "ModelError",
    "NodeInfo",
    "NotFiniteError",
    "OutOfMemoryError",
    "Predictor",
    "Run",
    "Session",
    "TablePredictor",
    "TensorInfo",
    "UsageError",
    "Weights",
    "__version__",
]


def _session_from(model: Model, state: bytes) -> Session:
    session = Session(model)
    session.from_bytes(state)
    return session


def _reduce_session(session: Session) -> tuple:
    """A pickled session is its model and its state; threads and providers are the other machine's."""
    return _session_from, (session.model, session.to_bytes())


_copyreg.pickle(Session, _reduce_session)
Model._repr_html_ = _model_html
