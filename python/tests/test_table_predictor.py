import json
import math

import numpy
import pytest

import graphrun

# What is drawn is 0, so that the score of a row is the mean of its squared cells.
TEXT = """
graphrun: 1
name: rows
data:
  train: {{table: {table}}}
  columns: {{categories: [kind], target: price}}
  missing: mask
inputs: {{x: {{from: cells}}, seen: {{from: mask}}, t: {{from: target}}}}
nodes:
  one: {{op: param, shape: [1], init: zeros}}
  row: x * one
  guess: sum(x, axis=1)
outputs: {{row: row, target: guess}}
loss: {{r: "mean(seen * (row - x) ** 2, axis=1) + (guess - t) ** 2"}}
train: {{optimizer: {{op: sgd, lr: 0}}, batch: 2, epochs: 1}}
"""


@pytest.fixture
def rows_model(tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text("temp,kind,price\n1,a,10\n3,b,20\n,,30\n5,a,40\n")
    return graphrun.Model.parse(TEXT.format(table=table), "rows.yaml")


@pytest.fixture
def weights(rows_model):
    return graphrun.Session(rows_model, threads=1).weights()


def test_rows_are_scored_alone_and_among_others(rows_model, weights):
    predictor = graphrun.TablePredictor(rows_model, weights)
    assert predictor.columns == ["temp", "kind"]
    assert predictor.scored_columns == ["temp", "kind"]
    score, parts = predictor.score(["1", "a"])
    assert parts.dtype == "float64" and numpy.allclose(parts, [0.5, 1 / 3])
    assert math.isclose(score, 2.5 / 3, abs_tol=1e-6)
    assert predictor.score([1, "a"])[0] == score
    assert predictor.score([None, "a"])[0] == predictor.score(["nan", "a"])[0] == 0.5
    rows = {"kind": ["a", None, "a"], "temp": numpy.array([1, 3, numpy.nan], "float32")}
    scores, parts = predictor.scores(rows)
    assert scores.shape == (3,) and parts.shape == (3, 2)
    assert scores[0] == score and scores[1] == 0 and scores[2] == 0.5
    other = graphrun.TablePredictor(rows_model, weights, columns=["kind", "price", "temp"])
    assert other.score(["a", "12", "1"])[0] == score


def test_outputs_come_in_names_and_units(rows_model, weights):
    rows = {"temp": [3, 5], "kind": numpy.array(["b", "a"])}
    drawn = graphrun.TablePredictor(rows_model, weights, outputs=["row", "target", "x"]).predict(rows)
    assert list(drawn) == ["temp", "kind", "price", "x_0", "x_1", "x_2"]
    assert numpy.allclose(drawn["temp"], 3)  # the mean
    assert drawn["kind"].tolist() == ["a", "a"]
    assert drawn["x_2"].tolist() == [1, 0]
    assert drawn["price"].dtype == "float64" and drawn["price"][0] == 1
    assert list(graphrun.TablePredictor(rows_model, weights).predict(rows)) == ["price"]


def test_a_mapping_of_columns_is_enough(rows_model, weights):
    class Frame:
        def keys(self):
            return ["kind", "temp"]

        def __getitem__(self, name):
            return {"kind": numpy.array(["a"], object), "temp": numpy.array([True])}[name]

    predictor = graphrun.TablePredictor(rows_model, weights)
    assert predictor.scores(Frame())[0][0] == predictor.score(["1", "a"])[0]


def hold_out(checkpoint, scores):
    """Writes scores of held-out rows into a checkpoint, as a run of the program does."""
    stored = checkpoint.read_bytes()
    size = int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8 : 8 + size])
    texts = header["__metadata__"]
    header["__metadata__"] = {key: text for key, text in texts.items() if not key.startswith("graphrun.crc32")}
    header["__metadata__"]["held_out_scores"] = " ".join(map(str, scores))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    checkpoint.write_bytes(len(text).to_bytes(8, "little") + text + stored[8 + size :])


def test_a_threshold_is_a_quantile_of_held_out_scores(rows_model, tmp_path):
    checkpoint = tmp_path / "rows.safetensors"
    graphrun.Session(rows_model, threads=1).save(checkpoint)
    hold_out(checkpoint, [1, 2, 4, 8])
    predictor = graphrun.TablePredictor(rows_model, graphrun.Weights.load(rows_model, checkpoint))
    # The score with the number (n + 1)(1 - share), or between the two beside it.
    told = [predictor.threshold(share) for share in (0.9, 0.6, 0.5, 0.4, 0.2)]
    assert told == pytest.approx([1, 2, 3, 4, 8])
    assert predictor.threshold() == 8  # 1 % is more than four scores tell


def test_what_makes_no_sense_is_told(rows_model, weights, model, session):
    predictor = graphrun.TablePredictor(rows_model, weights)
    with pytest.raises(graphrun.DataError, match="row:1:2: error: column 'kind': the model has learnt nothing of 'z'"):
        predictor.score(["1", "z"])
    with pytest.raises(graphrun.UsageError, match="a row has 2 cells, 1 are given"):
        predictor.score(["1"])
    with pytest.raises(graphrun.DataError, match="there is no column 'temp'") as caught:
        predictor.predict({"kind": ["a"]})
    assert caught.value.line == 1
    with pytest.raises(graphrun.DataError, match="'warm' is no number"):
        predictor.scores({"kind": ["a"], "temp": ["warm"]})
    with pytest.raises(graphrun.UsageError, match="column 'temp' has 2 rows, the others 1"):
        predictor.predict({"kind": ["a"], "temp": [1, 2]})
    with pytest.raises(graphrun.UsageError, match=r"one value a row, and an array of shape \(1, 1\)"):
        predictor.predict({"kind": ["a"], "temp": [[1]]})
    with pytest.raises(graphrun.UsageError, match="a dict of columns by name"):
        predictor.predict([[1, "a"]])
    with pytest.raises(graphrun.DataError, match="without scores of held-out rows"):
        predictor.threshold()
    with pytest.raises(graphrun.UsageError, match="1.5 is no share"):
        predictor.threshold(1.5)
    with pytest.raises(graphrun.DataError, match="there is no column 'temp'"):
        graphrun.TablePredictor(rows_model, weights, columns=["kind"])
    with pytest.raises(graphrun.UsageError, match="has not learnt from a table"):
        graphrun.TablePredictor(model, session.weights())
