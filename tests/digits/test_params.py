import pytest

from digits import params
from digits.errors import UserError
from tests.conftest import ROOT

GOOD = (ROOT / "params.yaml").read_text()


def load(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return params.load(path)


def test_the_file_of_the_project_is_good():
    parameters = params.load(ROOT / "params.yaml")
    assert parameters.active_recipe == parameters.recipes[parameters.recipe]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("seed: 20", "sead: 20", "unknown key sead; the keys here are dataset, seed, preprocess"),
        ("seed: 20", "", "seed is missing"),
        ("seed: 20", "seed: twenty", "seed is 'twenty': input should be a valid integer"),
        ("seed: 20", "seed: 20.5", "seed is 20.5: input should be a valid integer"),
        ("seed: 20", "seed: -1", "seed is -1: input should be greater than or equal to 0"),
        ("seed: 20", "seed: true", "seed is True"),
        ("recipe: fast_cnn", "recipe: fast", "recipe: no block 'fast' under recipes; there are fast_cnn, resnet"),
        ("dataset: mnist", "dataset: 7", "dataset is 7: input should be a valid string"),
        ("validation_fraction: 0.1", "validation_fraction: 1.5", "preprocess.validation_fraction is 1.5"),
        ("    epochs: 20", "    epoch: 20", "recipes.fast_cnn: unknown key epoch; the keys here are model, members"),
        ("    epochs: 20", "", "recipes.fast_cnn.epochs is missing"),
        ("rotation: 10 ", "rotation: '10' ", "recipes.fast_cnn.augmentation.rotation is '10'"),
        ("rotation: 10 ", "rotations: 10 ", "recipes.fast_cnn.augmentation: unknown key rotations"),
        (
            "architecture: fast_cnn",
            "architecture: fats",
            "recipes.fast_cnn.model.architecture is 'fats': it can be 'fa",
        ),
        ("widths: [32, 64, 128]", "widths: [32, -64]", "recipes.fast_cnn.model.widths.1 is -64"),
        ("widths: [32, 64, 128]", "width: 3", "recipes.fast_cnn.model: unknown key width; the keys here are kernel_in"),
        ("widths: [32, 64, 128]", "", "recipes.fast_cnn.model.widths is missing"),
        (
            "name: one_cycle",
            "name: onecycle",
            "recipes.fast_cnn.schedule.name is 'onecycle': it can be 'constant', 'cosine', 'one_cycle', 'plateau'",
        ),
        ("min_accuracy:", "min_accuracies:", "evaluate: unknown key min_accuracies; the keys here are max_error"),
        (
            "fast_cnn: {mnist: 0.98,",
            "fast_cnn: {mnist: 99.0,",
            "evaluate.min_accuracy.fast_cnn.mnist is 99.0: input should be less than or equal to 1",
        ),
        ("      name: one_cycle", "      named: one_cycle", "recipes.fast_cnn.schedule.name is missing"),
        ("peak: 0.01 ", "peak: .inf ", "recipes.fast_cnn.schedule.peak is inf: input should be a finite number"),
        (
            "glorot_uniform #",
            "he_norm #",
            "fast_cnn.model.kernel_initializer is 'he_norm': input should be 'glorot_uniform' or 'he_normal'",
        ),
        ("glorot_uniform #", "{normal: -1} #", "model.kernel_initializer.normal is -1: input should be greater than 0"),
        (
            "labels: one_hot ",
            "labels: integer ",
            "recipes.fast_cnn.loss: label_smoothing needs labels: one_hot",
        ),
        (
            "outliers: 0\n",
            "outliers: 0.1\n",
            "recipes.mlp_dropout: outliers need loss.labels: one_hot, because they belong to all classes alike",
        ),
        ("outliers: 0.1 ", "outliers: 1 ", "recipes.fast_cnn.outliers is 1: input should be less than 1"),
        ("calibrate: true ", "calibrate: 1 ", "recipes.fast_cnn.calibrate is 1: input should be a valid boolean"),
        ("weight: 0.8 ", "weight: 1.5 ", "recipes.fast_cnn.augmentation.weight is 1.5: input should be less than or"),
        ("max_lost: 0.003 ", "max_lost: 1 ", "evaluate.max_lost is 1: input should be less than 1"),
        (
            "early_stopping: null ",
            "early_stopping: {monitor: acc, patience: 3} ",
            "early_stopping.monitor is 'acc': input",
        ),
        ("recipes: [fast_cnn,", "recipes: [fast,", "compare.recipes: no block 'fast' under recipes"),
        ("tiny: {digits:", "tniy: {digits:", "evaluate.min_accuracy: no block 'tniy' under recipes"),
        ("seed: 20", "seed: 20\nseed: 21", "not readable as YAML: while constructing a mapping"),
        ("seed: 20", "seed: [", "not readable as YAML"),
    ],
)
def test_a_wrong_file_is_refused_by_key_and_legal_values(tmp_path, old, new, complaint):
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a list", "word"])
def test_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="valid dictionary"):
        load(tmp_path, text)


def test_all_problems_are_told_at_once(tmp_path):
    text = GOOD.replace("seed: 20", "seed: x").replace("threads: 2", "threads: 0")
    with pytest.raises(UserError, match=r"seed is 'x'.*train\.threads is 0"):
        load(tmp_path, text)


def test_numbers_are_read_as_dvc_reads_them(tmp_path):
    # YAML 1.1 takes 1e-3 for text; DVC reads YAML 1.2, and `dvc exp run -S` writes floats this way.
    assert load(tmp_path, GOOD.replace("peak: 0.01 ", "peak: 1e-3 ", 1)).recipes["fast_cnn"].schedule.peak == 0.001


def test_a_missing_file_says_where_to_be(tmp_path):
    with pytest.raises(UserError, match="run from the project's root"):
        params.load(tmp_path / "params.yaml")


def test_a_recipe_by_name():
    parameters = params.load(ROOT / "params.yaml")
    assert parameters.recipe_named("cnn_deep") is parameters.recipes["cnn_deep"]
    with pytest.raises(UserError, match="no recipe 'deep'; there are fast_cnn, resnet"):
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
def test_a_recipe_that_does_not_go_with_the_rest_is_refused_when_it_is_trained(tmp_path, old, new, complaint):
    parameters = load(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(UserError, match=complaint):
        parameters.recipe_named(complaint.split(".")[1] if "mlp_two" in complaint else "mlp_sigmoid")
    assert parameters.active_recipe
