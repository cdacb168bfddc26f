import pytest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "architecture: strided_cnn",
            "architecture: strided",
            "recipes.fast_cnn.model.architecture is 'strided': it can be 'strided_cnn'",
        ),
        ("48 3x3/2", "48 3x4/2", "recipes.fast_cnn.model.convolutions.1: write a convolution as 48 3x3 (filters,"),
        (
            "normalize: false",
            "normalise: false",
            "recipes.fast_cnn.model: unknown key normalise; did you mean normalize?",
        ),
        ("normalize: false, ", "", "recipes.fast_cnn.model.normalize is missing"),
        ("[24 5x5/2 valid, ", "[24 5x5/0, ", "recipes.fast_cnn.model.convolutions.0: write a convolution as 48 3x3"),
        (
            "kernel_initializer: he_normal",
            "kernel_initializer: he_norm",
            "resnet.model.kernel_initializer is 'he_norm': input should be 'glorot_uniform' or 'he_normal'",
        ),
        (
            "kernel_initializer: he_normal",
            "kernel_initializer: {normal: -1}",
            "model.kernel_initializer.normal is -1: input should be greater than 0",
        ),
    ],
)
def test_options_of_an_architecture(complaint, old, new, said):
    assert said in complaint(old, new)
