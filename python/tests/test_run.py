import math

import numpy
import pytest

import conftest
import graphrun

# A PNG of one black pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


@pytest.fixture
def folder(tmp_path, session, rows):
    """As `graphrun train` leaves it, after two epochs."""
    (tmp_path / "resolved.yaml").write_text(conftest.TEXT)
    (tmp_path / "metrics.csv").write_text("step,epoch,train.loss,test.loss\n4,1,0.5,\n8,2,0.25,0.75\n")
    for name in ("checkpoints", "images"):
        (tmp_path / name).mkdir()
    (tmp_path / "images/codes.png").write_bytes(PIXEL)
    session.save(tmp_path / "checkpoints/step-00000004.safetensors")
    session.fit(rows, epochs=1)
    session.save(tmp_path / "checkpoints/step-00000008.safetensors")
    return tmp_path


def test_a_run_gives_its_figures_and_its_newest_weights(folder, session):
    run = graphrun.Run(folder)
    assert run.metrics["train.loss"] == [0.5, 0.25]
    assert math.isnan(run.metrics["test.loss"][0]) and run.metrics["test.loss"][1] == 0.75
    assert run.model.name == "small"
    assert run.session(threads=1).digest == session.digest
    assert run.session(run.checkpoints[0]).digest != session.digest
    assert run.weights().digest == session.digest
    assert run.weights(run.checkpoints[0]).digest != session.digest
    assert repr(run) == f"<graphrun.Run '{folder}', step 8, epoch 2, train.loss 0.25, test.loss 0.75>"


def test_a_notebook_shows_figures_model_and_pictures(folder):
    shown = graphrun.Run(folder)._repr_html_()
    assert "<td>train.loss</td><td>0.25</td>" in shown
    assert "<td>x</td><td>float32[batch, 12]</td>" in shown
    assert shown.count('src="data:image/png;base64,') == 1 and 'alt="codes"' in shown


def test_what_a_file_says_stays_text():
    text = conftest.TEXT.replace("name: small", 'name: small\nabout: "<script>alert(1)</script> & more"')
    shown = graphrun.Model.parse(text)._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown and "&amp; more" in shown


def test_a_model_of_many_nodes_is_cut_short():
    text = conftest.TEXT.replace("in: x,", "in: x, repeat: [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8],")
    model = graphrun.Model.parse(text)
    shown = model._repr_html_()
    assert f"and {len(model.nodes) - 100:,} more" in shown


def test_a_run_that_has_not_begun(tmp_path):
    with pytest.raises(graphrun.FileError, match="is no run directory: it has no resolved.yaml"):
        graphrun.Run(tmp_path)
    (tmp_path / "resolved.yaml").write_text(conftest.TEXT)
    run = graphrun.Run(tmp_path)
    assert (run.metrics, run.pictures, run.checkpoints) == ({}, [], [])
    assert "no epoch is done yet" in run._repr_html_()
    with pytest.raises(graphrun.UsageError, match="has no checkpoint yet"):
        run.session()
    with pytest.raises(graphrun.UsageError, match="has no checkpoint yet"):
        run.weights()
