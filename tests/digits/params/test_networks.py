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
        (
            "glorot_uniform #",
            "he_norm #",
            "fast_cnn.model.kernel_initializer is 'he_norm': input should be 'glorot_uniform' or 'he_normal'",
        ),
    ],
)
def test_options_of_an_architecture(complaint, old, new, said):
    assert said in complaint(old, new)
