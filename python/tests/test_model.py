import pickle

import pytest

import graphrun


def test_what_a_model_says(model):
    assert model.name == "small"
    assert [(info.name, info.dtype, info.shape) for info in model.inputs] == [("x", "float32", (None, 12))]
    assert [info.name for info in model.outputs] == ["code", "image"]
    assert model.parameters[0].shape == (12, 8)
    assert model.loss_terms == ["reconstruction"]
    assert {node.name for node in model.nodes} >= {"x", "code", "recon"}
    assert "in x: float32[batch, 12]" in repr(model)


def test_settings_and_files(model, tmp_path):
    path = tmp_path / "modèle.yaml"
    path.write_text(model.resolved)
    assert graphrun.Model.load(path, ["units=5"]).outputs[0].shape == (None, 5)
    assert graphrun.Model.load(str(path), settings=("units=4",)).outputs[0].shape == (None, 4)


def test_a_model_can_be_pickled(model):
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.name, copy.resolved) == (model.name, model.resolved)


def test_all_mistakes_of_a_model_at_once():
    text = "graphrun: 1\nname: wrong\ninputs:\n  x: {shape: [batch, 2]}\nnodes:\n  a: {op: dens, in: x}\n  b: {op: relo, in: x}\n"
    with pytest.raises(graphrun.ModelError) as caught:
        graphrun.Model.parse(text, "wrong.yaml")
    error = caught.value
    assert isinstance(error, graphrun.Error) and isinstance(error, ValueError)
    assert (error.code, error.file, error.line, error.node) == ("model", "wrong.yaml", 6, "a")
    assert [mistake.node for mistake in error.diagnostics] == ["a", "b"]
    assert error.diagnostics[0].column == error.column > 0
    assert "dense" in error.diagnostics[0].fix
    assert "^" in str(error)


def test_errors_can_be_pickled():
    with pytest.raises(graphrun.FileError) as caught:
        graphrun.Model.load("/there/is/no/such.yaml")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.file, copy.code) == (str(caught.value), caught.value.file, "io")


def test_includes_of_a_text_are_refused():
    with pytest.raises(graphrun.Error):
        graphrun.Model.parse("graphrun: 1\ninclude: other.yaml\n")


def test_the_classes_of_wrong_types(model):
    with pytest.raises(TypeError):
        graphrun.Model.load(3)
    with pytest.raises(TypeError):
        graphrun.Session("model.yaml")
