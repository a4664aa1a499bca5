"""A run directory that `graphrun train` left, from Python."""

import csv
import os
import pathlib

from ._core import Model, Session, Weights
from .errors import FileError, UsageError

__all__ = ["Run"]

_PICTURES = ("reconstruction.png", "samples.png", "grid.png", "codes.png", "curves.png")


class Run:
    """What a run directory holds: the model, its figures, its pictures, its weights.

    In a notebook its repr shows the figures of the last epoch and the pictures.
    """

    def __init__(self, path: "str | os.PathLike"):
        """Raises FileError when `path` is no run directory."""
        self.path = pathlib.Path(path)
        if not (self.path / "resolved.yaml").is_file():
            raise FileError(f"'{self.path}' is no run directory: it has no resolved.yaml")

    @property
    def model(self) -> Model:
        """The model as it was learnt: includes inlined, settings applied."""
        return Model.load(self.path / "resolved.yaml")

    @property
    def metrics(self) -> "dict[str, list[float]]":
        """The columns of metrics.csv, an entry for each epoch; nan where nothing was measured. Empty before the first."""
        path = self.path / "metrics.csv"
        if not path.is_file():
            return {}
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        return {name: [_number(row[place]) for row in rows] for place, name in enumerate(header)}

    @property
    def checkpoints(self) -> "list[pathlib.Path]":
        """Oldest first; the best may be among the older ones."""
        return sorted((self.path / "checkpoints").glob("step-*.safetensors"))

    @property
    def pictures(self) -> "list[pathlib.Path]":
        """Those that a run ends with; more are in its folder images/."""
        return [self.path / "images" / name for name in _PICTURES if (self.path / "images" / name).is_file()]

    def session(self, checkpoint: "str | os.PathLike | None" = None, **options) -> Session:
        """A session with the weights of the newest checkpoint, or of `checkpoint`; `options` are Session's.

        Raises UsageError when the run has no checkpoint yet.
        """
        session = Session(self.model, **options)
        session.load(checkpoint or self._newest())
        return session

    def weights(self, checkpoint: "str | os.PathLike | None" = None) -> Weights:
        """Those of the newest checkpoint, or of `checkpoint`: what a Predictor takes. Errors are those of session()."""
        return Weights.load(self.model, checkpoint or self._newest())

    def _newest(self) -> "pathlib.Path":
        if not self.checkpoints:
            raise UsageError(f"the run '{self.path}' has no checkpoint yet")
        return self.checkpoints[-1]

    def __repr__(self) -> str:
        return f"<graphrun.Run '{self.path}'{''.join(f', {name} {value:.6g}' for name, value in self._last().items())}>"

    def _last(self) -> "dict[str, float]":
        """Epoch and losses of the last epoch."""
        last = {name: values[-1] for name, values in self.metrics.items() if values}
        return {name: last[name] for name in last if name in ("step", "epoch") or name.endswith(".loss")}

    def _repr_html_(self) -> str:
        from .notebook import run_html

        return run_html(self)


def _number(text: str) -> float:
    return float(text) if text else float("nan")
