import pytest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "architecture: fast_cnn",
            "architecture: fats",
            "recipes.fast_cnn.model.architecture is 'fats': it can be 'fa",
        ),
        ("widths: [32, 64, 128]", "widths: [32, -64]", "recipes.fast_cnn.model.widths.1 is -64"),
        ("widths: [32, 64, 128]", "width: 3", "recipes.fast_cnn.model: unknown key width; did you mean widths?"),
        ("widths: [32, 64, 128], ", "", "recipes.fast_cnn.model.widths is missing"),
        (
            "kernel_initializer: glorot_uniform",
            "kernel_initializer: he_norm",
            "fast_cnn.model.kernel_initializer is 'he_norm': input should be 'glorot_uniform' or 'he_normal'",
        ),
        (
            "kernel_initializer: glorot_uniform",
            "kernel_initializer: {normal: -1}",
            "model.kernel_initializer.normal is -1: input should be greater than 0",
        ),
    ],
)
def test_options_of_an_architecture(complaint, old, new, said):
    assert said in complaint(old, new)
