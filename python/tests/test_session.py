import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy
import pytest

import conftest
import graphrun


class OnlyDlpack:
    """An array of another library: nothing but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_learning_makes_the_loss_smaller(session, rows):
    before = session.evaluate(rows)
    assert set(before) == {"loss", "reconstruction"}
    session.fit(rows, epochs=30)
    assert session.evaluate(rows)["loss"] < before["loss"]
    assert session.steps == 30 * 4


def test_epochs_are_fit_to_the_same_bits(model, rows):
    one, two, three = (graphrun.Session(model, threads=threads) for threads in (1, 2, 1))
    one.fit(rows, epochs=4, batch=10)
    reports = list(two.epochs(rows, epochs=4, batch=10))
    seen = []
    three.fit(rows, epochs=4, batch=10, on_epoch=seen.append)
    assert one.digest == two.digest == three.digest
    assert [report.epoch for report in reports] == [1, 2, 3, 4] == [report.epoch for report in seen]
    assert reports[-1].steps == two.steps == 28
    assert reports[0].train == seen[0].train
    assert reports[0].seconds >= 0 and "loss" in repr(reports[0])


def test_the_model_says_how_many_epochs(session, rows):
    assert len(list(session.epochs(rows))) == 3


def test_a_model_learns_in_its_phases(rows):
    train = "train: {optimizer: {op: adam, lr: 0.01}, batch: 16, seed: 42, phases: [{name: rough, epochs: 1}, {name: fine, start: rough, epochs: 2}]}"
    text = conftest.TEXT[: conftest.TEXT.index("train:")] + train
    session = graphrun.Session(graphrun.Model.parse(text))
    reports = list(session.epochs(rows, validation=rows[:8]))
    assert [report.phase for report in reports] == ["rough", "fine", "fine"]
    assert reports[-1].validation == session.evaluate(rows[:8])
    assert reports[0].validation["loss"] > reports[-1].validation["loss"]
    with pytest.raises(graphrun.UsageError, match="FitOptions::epochs"):
        session.fit(rows, epochs=2)


def test_a_state_goes_through_bytes(model, session, rows):
    session.fit(rows, epochs=1)
    other = graphrun.Session(model)
    other.from_bytes(session.to_bytes())
    assert other.digest == session.digest and other.steps == session.steps
    with pytest.raises(graphrun.DataError, match="checkpoint"):
        other.from_bytes(session.to_bytes()[:-1])


def test_a_session_is_looked_at_between_epochs(session, rows, tmp_path):
    for report in session.epochs(rows, epochs=3):
        assert session.steps == report.steps
        assert session.evaluate(rows)["loss"] > 0
        assert session.encode(rows).shape == (64, 3)
        session.save(tmp_path / f"{report.epoch}.safetensors")
        with pytest.raises(graphrun.UsageError, match="may look at it"):
            session.train_step(rows)
        with pytest.raises(graphrun.UsageError):
            session.fit(rows)
    assert len(list(tmp_path.iterdir())) == 3
    session.train_step(rows)


def test_a_loop_that_is_left_ends_the_learning(session, rows):
    for _ in session.epochs(rows, epochs=100):
        break
    gc.collect()
    assert session.steps == 4
    session.train_step(rows)
    learning = session.epochs(rows, epochs=100)
    next(learning)
    learning.close()
    learning.close()
    assert list(learning) == []
    session.fit(rows, epochs=1)


def test_epochs_that_nobody_asked_for_learn_nothing(session, rows):
    session.epochs(rows)
    assert session.steps == 0


def test_an_iterator_keeps_its_session(model, rows):
    learning = graphrun.Session(model).epochs(rows, epochs=2)
    gc.collect()
    assert len(list(learning)) == 2


def test_what_a_callback_raises_comes_out(session, rows):
    def complain(report):
        if report.epoch == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        session.fit(rows, epochs=50, on_epoch=complain)
    assert session.steps == 8
    session.fit(rows, epochs=1)


def test_a_program_may_end_in_the_midst_of_a_loop(tmp_path):
    script = (
        "import graphrun, numpy, conftest\n"
        "session = graphrun.Session(graphrun.Model.parse(conftest.TEXT))\n"
        "learning = session.epochs(numpy.zeros((8, 12), 'float32'), epochs=5)\n"
        "next(learning)\n"
    )
    here = os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", script], cwd=here, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def send_signal_after(seconds):
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_stops_learning(session, rows):
    timer = send_signal_after(0.3)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.fit(rows, epochs=10**5)
    timer.join()
    assert time.monotonic() - began < 20
    steps = session.steps
    assert steps > 0
    session.train_step(rows)
    assert session.steps == steps + 1


def test_a_handler_that_returns_does_not_stop(session, rows):
    calls = []
    kept = signal.signal(signal.SIGINT, lambda *_: calls.append(1))
    try:
        timer = send_signal_after(0.1)
        deadline = time.monotonic() + 1
        for _ in session.epochs(rows, epochs=10**9):
            if time.monotonic() > deadline:
                break
        timer.join()
    finally:
        signal.signal(signal.SIGINT, kept)
    assert calls == [1]


def test_other_threads_run_meanwhile(session, rows):
    """The GIL is free while a session learns, from whatever thread."""
    ended = threading.Event()

    def learn():
        session.fit(rows, epochs=400)
        ended.set()

    thread = threading.Thread(target=learn)
    thread.start()
    turns = 0
    while not ended.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 3


def test_a_second_thread_is_told(session, rows):
    learning = session.epochs(numpy.tile(rows, (2000, 1)), epochs=100)
    thread = threading.Thread(target=next, args=(learning,))
    thread.start()
    time.sleep(0.1)
    try:
        if thread.is_alive():
            with pytest.raises(graphrun.UsageError, match="another thread"):
                session.evaluate(rows)
    finally:
        thread.join()
        learning.close()


@pytest.mark.parametrize(
    "form",
    [
        lambda rows: rows.astype("float64"),
        lambda rows: numpy.asfortranarray(rows),
        lambda rows: rows.reshape(-1, 3, 4),
        lambda rows: rows.tolist(),
        lambda rows: {"x": rows},
        lambda rows: OnlyDlpack(rows),
        lambda rows: numpy.repeat(rows, 2, axis=0)[::2],
    ],
    ids=["f64", "fortran", "images", "list", "dict", "dlpack", "strided"],
)
def test_arrays_of_all_forms(session, rows, form):
    assert numpy.array_equal(session.encode(form(rows)), session.encode(rows))


def test_read_only_arrays_are_taken(session, rows):
    expected = session.encode(rows)
    rows.flags.writeable = False
    assert numpy.array_equal(session.encode(rows), expected)


def test_bytes_are_pixels(session):
    pixels = numpy.arange(24, dtype=numpy.uint8).reshape(2, 12)
    assert numpy.array_equal(session.encode(pixels), session.encode(pixels.astype("float32") / numpy.float32(255)))
    assert numpy.array_equal(session.encode(pixels.astype("int64")), session.encode(pixels.astype("float32")))


@pytest.mark.parametrize(
    "wrong",
    [numpy.zeros((3, 11)), numpy.zeros(12), numpy.zeros(()), numpy.zeros((0, 12)), [["a"] * 12], {"y": [[0.0] * 12]}],
)
def test_arrays_that_do_not_fit(session, wrong):
    with pytest.raises(graphrun.UsageError):
        session.encode(wrong)


def test_names_of_inputs_are_str(session, rows):
    with pytest.raises(TypeError):
        session.encode(None)
    with pytest.raises(TypeError):
        session.encode({1: rows})


def test_integers_of_an_integer_input():
    text = "graphrun: 1\nname: letters\ninputs:\n  i: {shape: [batch], from: labels}\nnodes:\n  t: {op: one_hot, in: i, depth: 4}\noutputs: {code: t}\n"
    model = graphrun.Model.parse(text)
    assert model.inputs[0].dtype == "int32"
    session = graphrun.Session(model)
    for kind in ("int32", "uint8", "int64"):
        assert numpy.array_equal(session.run("code", numpy.array([1, 3], kind)), numpy.eye(4, dtype="float32")[[1, 3]])
    with pytest.raises(graphrun.UsageError, match="does not fit"):
        session.run("code", numpy.array([2**40]))
    with pytest.raises(graphrun.UsageError):
        session.run("code", numpy.array([0.5]))


def test_results_own_their_memory(session, rows):
    code = session.encode(rows)
    kept = code.copy()
    code_again = session.encode(rows[::-1])
    assert (code.dtype, code.shape, code.flags.writeable, code.flags.c_contiguous) == ("float32", (64, 3), True, True)
    assert numpy.array_equal(code, kept)
    assert numpy.array_equal(code_again, kept[::-1])


def test_through_the_whole_and_in_halves(session, rows):
    assert numpy.array_equal(session.decode(session.encode(rows)), session.reconstruct(rows))
    assert numpy.array_equal(session.run("image", {"code": session.encode(rows)}), session.reconstruct(rows))
    with pytest.raises(graphrun.UsageError):
        session.decode(numpy.zeros((2, 4)))
    with pytest.raises(graphrun.UsageError, match="nowhere"):
        session.run("nowhere", rows)


def test_gradients_are_those_of_differences(session, rows):
    gradients = session.gradients("code", ["x", "enc.b"], rows[:2])
    assert list(gradients) == ["x", "enc.b"]
    assert gradients["x"].shape == (2, 12)
    moved = rows[:2].copy()
    moved[0, 5] += 0.01
    difference = (session.encode(moved).astype("float64") - session.encode(rows[:2])).sum() / 0.01
    assert gradients["x"][0, 5] == pytest.approx(difference, rel=0.02, abs=1e-3)
    with pytest.raises(graphrun.UsageError):
        session.gradients("code", ["nobody"], rows)


def test_parameters(session):
    parameters = session.parameters()
    assert [*parameters] == [info.name for info in session.model.parameters]
    digest = session.digest
    session.set_parameter("enc.w", parameters["enc.w"] + 1)
    assert session.digest != digest
    assert numpy.array_equal(session.parameter("enc.w"), parameters["enc.w"] + 1)
    session.set_parameter("enc.w", parameters["enc.w"].astype("float64"))
    assert session.digest == digest
    with pytest.raises(graphrun.UsageError):
        session.set_parameter("enc.w", parameters["enc.w"].T)
    with pytest.raises(graphrun.UsageError, match="enc.w"):
        session.parameter("enc.v")


def test_saving_loading_and_pickling(session, model, rows, tmp_path):
    session.fit(rows, epochs=2)
    session.save(tmp_path / "state")
    other = graphrun.Session(model, seed=1)
    assert other.digest != session.digest
    other.load(str(tmp_path / "state"))
    pickled = pickle.loads(pickle.dumps(session))
    assert other.digest == session.digest == pickled.digest
    for one in (session, other, pickled):
        one.fit(rows, epochs=1)
    assert other.digest == session.digest == pickled.digest
    (tmp_path / "broken").write_bytes(b"not a checkpoint")
    with pytest.raises(graphrun.DataError):
        session.load(tmp_path / "broken")
    with pytest.raises(graphrun.FileError):
        session.load(tmp_path / "missing")


def test_a_loss_that_is_not_finite(session, rows):
    digest = session.digest
    rows[3, 3] = numpy.nan
    with pytest.raises(graphrun.NotFiniteError) as caught:
        session.train_step(rows)
    assert caught.value.code == "not_finite"
    assert session.digest == digest


def test_options(model):
    assert graphrun.Session(model, seed=1).digest != graphrun.Session(model, seed=2).digest
    with pytest.raises(graphrun.UsageError, match="executor"):
        graphrun.Session(model, executor="gpu")
    with pytest.raises(graphrun.UsageError):
        graphrun.Session(model, threads=-1)
    with pytest.raises(graphrun.OutOfMemoryError):
        graphrun.Session(model, max_bytes=1).train_step(numpy.zeros((4, 12)))


def test_export(session, tmp_path):
    session.export_onnx(tmp_path / "encoder.onnx", part=["encoder"])
    assert (tmp_path / "encoder.onnx").stat().st_size > 400
    with pytest.raises(graphrun.UsageError):
        session.export_onnx(tmp_path / "other.onnx", opset=3)


def test_a_function_gives_batches(model, rows):
    seeds = []

    def batches(seed):
        seeds.append(seed)
        yield rows[:10]
        yield rows[10:11]
        yield {"x": rows[11:]}

    session = graphrun.Session(model, threads=1)
    session.fit(batches, epochs=2, batch=16)
    by_hand = graphrun.Session(model, threads=1)
    for _ in range(2):
        for first in range(0, len(rows), 16):
            by_hand.train_step(rows[first : first + 16])
    assert session.digest == by_hand.digest
    assert len(seeds) == 3 and len(set(seeds[1:])) == 2
    assert [report.epoch for report in session.epochs(batches, epochs=2)] == [3, 4]


def test_what_goes_wrong_in_a_function_that_gives_batches_comes_out(session, rows):
    def failing(seed):
        yield rows[:8]
        if seed != 0:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        session.fit(failing, epochs=1)

    def changing(seed):
        yield rows[:8]
        yield {"x": (rows[:8] * 255).astype("uint8")}

    with pytest.raises(graphrun.UsageError, match="names and types"):
        session.fit(changing, epochs=1)
    with pytest.raises(graphrun.UsageError, match="empty"):
        session.fit(lambda seed: [], epochs=1)
    with pytest.raises(TypeError):
        session.fit(lambda seed: 3, epochs=1)
    session.fit(rows, epochs=1)


def test_precision_and_provider_are_chosen(model, rows):
    emulated = graphrun.Session(model, precision="bf16-emulated", provider="tiles")
    plain = graphrun.Session(model)
    for session in (emulated, plain):
        session.fit(rows, epochs=1)
    assert numpy.isfinite(emulated.encode(rows)).all()
    predictor = graphrun.Predictor(model, emulated.weights(), precision="bf16-emulated", provider="tiles")
    assert (predictor.predict(rows) == emulated.encode(rows)).all()
    with pytest.raises(graphrun.UsageError, match="bf16-emulated"):
        graphrun.Session(model, precision="f16")
    with pytest.raises(graphrun.UsageError, match="onednn or tiles"):
        graphrun.Predictor(model, plain.weights(), provider="mkl")


def test_a_log_hears_where_weights_came_from(session, model, rows, tmp_path):
    session.fit(rows, epochs=1)
    session.save(tmp_path / "first.safetensors")
    lines = []
    named = graphrun.Model.parse(f"{conftest.TEXT}\nweights: {tmp_path}/first.safetensors\n")
    other = graphrun.Session(named, on_log=lines.append)
    assert other.digest == session.digest
    assert any("parameters are taken from" in line for line in lines)

    def refuse(line):
        raise ValueError(line)

    with pytest.raises(ValueError, match="parameters"):
        graphrun.Session(named, on_log=refuse)


def test_a_step_may_know_its_epoch(rows):
    start = conftest.TEXT.index("train:")
    text = conftest.TEXT[:start] + "train: {optimizer: {op: adam, lr: {linear: {from: 0.1, to: 0, epochs: 2}}}, epochs: 2}"
    model = graphrun.Model.parse(text)
    counted = graphrun.Session(model, threads=1, steps_per_epoch=2)
    told = graphrun.Session(model, threads=1)
    for epoch in (0, 0.5, 1, 1.5):
        counted.train_step(rows)
        told.train_step(rows, epoch=epoch)
    assert counted.digest == told.digest
