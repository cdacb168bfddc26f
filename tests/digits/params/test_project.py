import pytest

from digits import params
from digits.core.errors import UserError
from tests.conftest import ROOT
from tests.digits.params.conftest import GOOD


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("recipe: fast_cnn", "recipe: fast", "recipe: no block 'fast' under recipes; did you mean fast_cnn?"),
        ("validation_fraction: 0.1", "validation_fraction: 1.5", "preprocess.validation_fraction is 1.5"),
        (
            "fast_cnn: {mnist: 0.98,",
            "fast_cnn: {mnist: 99.0,",
            "evaluate.min_accuracy.fast_cnn.mnist is 99.0: input should be less than or equal to 1",
        ),
        ("  size: 28 ", "  size: 0 ", "pictures.size is 0: input should be greater than or equal to 1"),
        ("  channels: 1 ", "  channels: 2 ", "pictures.channels is 2: input should be 1 or 3"),
        ("max_rejected: 0.003 ", "max_rejected: 1 ", "evaluate.max_rejected is 1: input should be less than 1"),
        (
            "precision: float32",
            "precision: mixed_bfloat16",
            "train.precision: mixed_bfloat16 needs processor.instructions: all",
        ),
        ("recipes: [fast_cnn,", "recipes: [fast,", "compare.recipes: no block 'fast' under recipes"),
        ("tiny: {digits:", "tniy: {digits:", "evaluate.min_accuracy: no block 'tniy' under recipes"),
    ],
)
def test_names_and_ranges(complaint, old, new, said):
    assert said in complaint(old, new)


def test_pictures_may_stay_as_large_as_they_are(load):
    assert load(GOOD.replace("  size: 28 ", "  size: null ", 1)).pictures.size is None


def test_the_file_of_the_project_is_good():
    parameters = params.load(ROOT / "params.yaml")
    assert parameters.active_recipe == parameters.recipes[parameters.recipe]


def test_a_recipe_by_name():
    parameters = params.load(ROOT / "params.yaml")
    assert parameters.recipe_named("cnn_deep") is parameters.recipes["cnn_deep"]
    with pytest.raises(UserError, match="no block 'deep' under recipes; did you mean cnn_deep"):
        parameters.recipe_named("deep")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "  validation_fraction: 0.1 ",
            "  validation_fraction: 0.3 ",
            r"recipes.mlp_two_layer.validation_fraction is 0.2: it cannot be below preprocess.validation_fraction",
        ),
        (
            "strategy: one_device",
            "strategy: mirrored",
            "train.strategy: mirrored needs recipes.mlp_sigmoid.loop: keras",
        ),
    ],
)
def test_a_recipe_that_does_not_go_with_the_rest_is_refused_when_it_is_trained(load, old, new, complaint):
    parameters = load(GOOD.replace(old, new, 1))
    with pytest.raises(UserError, match=complaint):
        parameters.recipe_named(complaint.split(".")[1] if "mlp_two" in complaint else "mlp_sigmoid")
    assert parameters.active_recipe


def test_several_workers_need_the_own_loop(load):
    parameters = load(GOOD.replace("strategy: one_device", "strategy: multi_worker", 1))
    with pytest.raises(UserError, match=r"^train.strategy: multi_worker needs recipes.tiny.loop: gradient_tape$"):
        parameters.recipe_named("tiny")
    assert parameters.recipe_named("mlp_sigmoid").loop == "gradient_tape"
