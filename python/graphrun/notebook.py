"""How models and runs look in a notebook: HTML that needs nothing else."""

import base64
import html

from ._core import Model

_MOST_NODES = 100


def _table(head, rows):
    cells = lambda tag, row: "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in row) + "</tr>"  # noqa: E731
    return "<table>" + cells("th", head) + "".join(cells("td", row) for row in rows) + "</table>"


def _type(info):
    extents = ("batch" if extent is None else str(extent) for extent in info.shape)
    return f"{info.dtype}[{', '.join(extents)}]"


def _size(info):
    size = 1
    for extent in info.shape:
        size *= extent
    return size


def model_html(model: Model) -> str:
    """Name, size, inputs, outputs and nodes, the first hundred of them."""
    nodes = model.nodes
    rows = [(node.name, node.op, ", ".join(node.inputs), _type(node.value)) for node in nodes[:_MOST_NODES]]
    count = sum(_size(info) for info in model.parameters)
    values = [(what, info.name, _type(info)) for what in ("inputs", "outputs") for info in getattr(model, what)]
    return (
        f"<p><b>{html.escape(model.name)}</b> {html.escape(model.about)}<br>{count:,} parameters, {len(nodes):,} nodes</p>"
        + _table(("", "name", "type"), values)
        + "<details><summary>nodes</summary>"
        + _table(("node", "op", "of", "type"), rows)
        + (f"<p>and {len(nodes) - _MOST_NODES:,} more</p>" if len(nodes) > _MOST_NODES else "")
        + "</details>"
    )


def run_html(run) -> str:
    """The figures of the last epoch, the model and the pictures of a run."""
    last = {name: values[-1] for name, values in run.metrics.items() if values}
    figures = [(name, f"{value:.6g}") for name, value in last.items()]
    return (
        f"<p>run <b>{html.escape(str(run.path))}</b></p>"
        + (_table(("of the last epoch", ""), figures) if figures else "<p>no epoch is done yet</p>")
        + model_html(run.model)
        + "".join(_picture(path) for path in run.pictures)
    )


def _picture(path):
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    name = html.escape(path.stem)
    return f'<figure><img alt="{name}" src="data:image/png;base64,{data}"><figcaption>{name}</figcaption></figure>'
