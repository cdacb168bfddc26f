from digits import architectures
from digits.params import Tiny


def test_it_is_tiny():
    assert (
        architectures.build(
            Tiny(architecture="tiny", width=8, kernel_initializer="glorot_uniform"), (28, 28, 1), 10
        ).count_params()
        < 1000
    )
