import pickle

import numpy
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import graphrun
from graphrun.sklearn import Autoencoder


@parametrize_with_checks([Autoencoder(hidden=(8,), units=2, epochs=3, threads=1)])
def test_the_manners_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def normal():
    """Rows near a plane in six dimensions."""
    random = numpy.random.default_rng(3)
    return random.normal(size=(400, 2)) @ random.normal(size=(2, 6)) + 0.05 * random.normal(size=(400, 6))


@pytest.fixture(scope="module")
def fitted(normal):
    return Autoencoder(hidden=(), units=2, epochs=60, learning_rate=0.02, contamination=0.05).fit(normal)


def test_rows_off_the_plane_are_outliers(fitted, normal):
    odd = numpy.random.default_rng(4).normal(size=(50, 6)) * 2
    assert (fitted.predict(odd) == -1).mean() > 0.9
    assert (fitted.predict(normal) == -1).sum() == 20
    assert fitted.score_samples(odd).mean() < fitted.score_samples(normal).min()
    assert len(fitted.loss_) == 60 and fitted.loss_[-1] < fitted.loss_[0] / 10


def test_codes_go_there_and_back(fitted, normal):
    codes = fitted.transform(normal)
    assert codes.shape == (400, 2) and codes.dtype == numpy.float32
    numpy.testing.assert_array_equal(fitted.inverse_transform(codes), fitted.reconstruct(normal))
    with pytest.raises(ValueError, match=r"\(rows, 2\), these \(400, 3\)"):
        fitted.inverse_transform(numpy.zeros((400, 3)))


def test_a_pickle_scores_as_the_estimator_does(fitted, normal):
    again = pickle.loads(pickle.dumps(fitted))
    numpy.testing.assert_array_equal(again.score_samples(normal), fitted.score_samples(normal))
    assert again.session_.digest == fitted.session_.digest


def test_equal_seeds_give_equal_bits_at_any_number_of_threads(fitted, normal):
    other = clone(fitted).set_params(threads=2).fit(normal)
    assert other.session_.digest == fitted.session_.digest
    assert clone(fitted).set_params(random_state=43).fit(normal).session_.digest != fitted.session_.digest


def test_a_search_in_a_pipeline_finds_the_units(normal):
    steps = make_pipeline(StandardScaler(), Autoencoder(hidden=(), epochs=40, learning_rate=0.02))
    scoring = lambda estimator, rows: estimator.score_samples(rows).mean()  # noqa: E731
    search = GridSearchCV(steps, {"autoencoder__units": [1, 2]}, cv=2, scoring=scoring).fit(normal)
    assert search.best_params_ == {"autoencoder__units": 2}
    assert list(search.best_estimator_[-1].get_feature_names_out()) == ["autoencoder0", "autoencoder1"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"units": 0}, "units is a whole number from 1, not 0"),
        ({"hidden": (8, -1)}, "hidden is a whole number from 1, not -1"),
        ({"epochs": 1.5}, "epochs is a whole number from 1, not 1.5"),
        ({"contamination": 0.7}, "contamination is above 0 and at most 0.5, not 0.7"),
        ({"learning_rate": -1}, "learning_rate is a number above 0, not -1"),
    ],
)
def test_wrong_parameters_are_named(normal, parameters, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(**parameters).fit(normal)


def test_an_unknown_activation_is_an_error_of_the_model(normal):
    with pytest.raises(graphrun.ModelError, match="'rleu'"):
        Autoencoder(activation="rleu").fit(normal)
