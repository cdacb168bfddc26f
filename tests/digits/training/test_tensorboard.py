import numpy as np
import pytest
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

from digits.training import tensorboard
from tests.conftest import make_split
from tests.digits.training.test_trainer import NARROW, assert_same, train, variant

RECIPE = variant(model=NARROW, epochs=1)


@pytest.fixture(scope="module", params=["keras", "gradient_tape"])
def logged(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    result = train(folder, recipe=RECIPE.model_copy(update={"loop": request.param}), log_dir=folder / "logs")
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder / "logs"))
    multiplexer.Reload()
    return result, multiplexer


def tags(multiplexer, run):
    plugins = multiplexer.PluginRunToTagToContent
    return {plugin: set(plugins(plugin).get(run, {})) for plugin in ("scalars", "images", "histograms", "hparams")}


def test_curves_images_and_histograms(logged):
    _, multiplexer = logged
    found = tags(multiplexer, "train")
    assert {"epoch_accuracy", "epoch_cross_entropy", "epoch_learning_rate", "epoch_loss"} <= found["scalars"]
    assert found["images"] == {"training images, as distorted"}
    assert any("conv0/kernel" in tag for tag in found["histograms"])
    assert {"epoch_accuracy", "epoch_cross_entropy"} <= tags(multiplexer, "validation")["scalars"]


def test_the_graph_of_the_network(logged):
    _, multiplexer = logged
    assert any("conv0" in node.name for node in multiplexer.Graph("train").node)


def test_hyper_parameters_of_the_run(logged):
    _, multiplexer = logged
    assert tags(multiplexer, ".")["hparams"]


def test_mistakes_are_named(tmp_path):
    split = make_split(4, seed=0)

    class AlwaysZero:
        def predict(self, images, **_):
            return np.eye(3, dtype=np.float32)[np.zeros(len(images), int)]

    tensorboard.log_mistakes(tmp_path, AlwaysZero(), split)
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    assert tags(multiplexer, "validation")["images"] == {"mistakes/1 read as 0", "mistakes/2 read as 0"}


@pytest.mark.parametrize("logged", ["keras"], indirect=True)
def test_logging_changes_nothing_of_the_training(logged, tmp_path):
    result, _ = logged
    assert_same(result, train(tmp_path, recipe=RECIPE))
