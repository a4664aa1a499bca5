import threading

import numpy
import pytest

import graphrun


def test_the_same_bits_as_a_session(session, model, rows):
    predictor = graphrun.Predictor(model, session.weights())
    assert [info.name for info in predictor.inputs] == ["x"]
    assert [info.shape for info in predictor.outputs] == [(None, 3)]
    for count in (1, 7, 64):
        assert numpy.array_equal(predictor.predict(rows[:count]), session.encode(rows[:count]))


def test_several_outputs_and_given_memory(session, model, rows):
    predictor = graphrun.Predictor(model, session.weights(), outputs=["code", "image"])
    code, image = predictor.predict(rows)
    assert numpy.array_equal(image, session.reconstruct(rows))
    out = numpy.empty_like(code), numpy.empty_like(image)
    assert predictor.predict(rows, out=out) is out
    assert numpy.array_equal(out[0], code) and numpy.array_equal(out[1], image)
    decoder = graphrun.Predictor(model, session.weights(), outputs=["image"], inputs=["code"])
    assert numpy.array_equal(decoder.predict(code), image)


@pytest.mark.parametrize(
    "out",
    [
        numpy.empty((64, 2), "float32"),
        numpy.empty((64, 3), "float64"),
        numpy.empty((64, 6), "float32")[:, ::2],
        numpy.broadcast_to(numpy.float32(0), (64, 3)),
        "text",
    ],
    ids=["shape", "type", "strided", "read-only", "text"],
)
def test_memory_that_does_not_fit(session, model, rows, out):
    with pytest.raises(graphrun.UsageError):
        graphrun.Predictor(model, session.weights()).predict(rows, out=out)


def test_many_threads_and_new_weights(session, model, rows):
    predictor = graphrun.Predictor(model, session.weights())
    predictor.prepare(64, threads=4)
    before = session.encode(rows)
    session.fit(rows, epochs=1)
    after = session.encode(rows)
    wrong = []

    def serve():
        for _ in range(200):
            code = predictor.predict(rows)
            if not (numpy.array_equal(code, before) or numpy.array_equal(code, after)):
                wrong.append(code)

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    predictor.swap_weights(session.weights())
    for thread in threads:
        thread.join()
    assert not wrong
    assert numpy.array_equal(predictor.predict(rows), after)
    assert predictor.weights.digest == session.digest


def test_weights_of_a_file(session, model, rows, tmp_path):
    session.save(tmp_path / "weights")
    weights = graphrun.Weights.load(model, tmp_path / "weights")
    assert weights.digest == session.digest
    assert numpy.array_equal(graphrun.Predictor(weights.model, weights).predict(rows), session.encode(rows))


def test_calls_that_make_no_sense(session, model, rows):
    predictor = graphrun.Predictor(model, session.weights())
    with pytest.raises(graphrun.UsageError, match="1 inputs"):
        predictor.predict(rows, rows)
    with pytest.raises(graphrun.UsageError, match="batch, 12"):
        predictor.predict(rows[:, 1:])
    with pytest.raises(graphrun.UsageError):
        graphrun.Predictor(model, session.weights(), outputs=["nobody"])


def test_arrays_however_their_bytes_lie(session, model, rows):
    predictor = graphrun.Predictor(model, session.weights())
    codes = predictor.predict(rows)
    for given in (rows.astype(">f4"), rows.astype(">f8"), numpy.asfortranarray(rows), rows[::-1][::-1], rows.tolist()):
        assert numpy.array_equal(predictor.predict(given), codes)


def test_what_is_no_batch_is_told_how_to_become_one(session, model, rows):
    predictor = graphrun.Predictor(model, session.weights())
    with pytest.raises(graphrun.UsageError, match=r"a single row is given as array\[None\]"):
        predictor.predict(rows[0])
    with pytest.raises(graphrun.UsageError, match="'x' needs an array, not a dict: arrays stand in the order of the inputs"):
        predictor.predict({"x": rows})
