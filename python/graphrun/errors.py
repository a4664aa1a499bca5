"""What calls of graphrun raise: one class for each kind, all of them derived from Error."""

from __future__ import annotations

from typing import NamedTuple


class Diagnostic(NamedTuple):
    """One mistake in a model file. str() shows it with its line and a caret."""

    file: str
    line: int
    column: int
    node: str
    message: str
    fix: str
    text: str

    def __str__(self) -> str:
        return self.text


class Error(Exception):
    """A failure. str() is "FILE:LINE:COLUMN: error: node 'NODE': MESSAGE" with the parts that are known.

    Lines and columns count from 1, columns in bytes; 0 means unknown. Unknown names are "".
    """

    code: str = "internal"

    def __init__(
        self,
        text: str,
        message: str = "",
        file: str = "",
        line: int = 0,
        column: int = 0,
        node: str = "",
        diagnostics: tuple[Diagnostic, ...] = (),
    ) -> None:
        super().__init__(text, message, file, line, column, node, diagnostics)
        self.message = message or text
        self.file = file
        self.line = line
        self.column = column
        self.node = node
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        if self.diagnostics:
            return "\n".join(diagnostic.text for diagnostic in self.diagnostics)
        return str(self.args[0])


class UsageError(Error, ValueError):
    """A call that makes no sense: an unknown name, an array of the wrong shape."""

    code = "usage"


class ModelError(Error, ValueError):
    """A model file that is wrong. `diagnostics` has all independent mistakes."""

    code = "model"


class DataError(Error, ValueError):
    """A weights or checkpoint file that is wrong, or does not fit the model."""

    code = "data"


class NotFiniteError(Error, ArithmeticError):
    """A NaN or an infinity appeared; `node` names the first that made one."""

    code = "not_finite"


class FileError(Error):
    """The operating system refused: no such file, disk full, no permission."""

    code = "io"


class OutOfMemoryError(Error, MemoryError):
    """Not enough memory, or more than `max_bytes`."""

    code = "memory"


class CancelledError(Error):
    """A stop was asked for."""

    code = "cancelled"


class InternalError(Error):
    """A bug in graphrun."""

    code = "internal"
