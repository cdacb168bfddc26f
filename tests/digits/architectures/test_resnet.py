import numpy as np
import pytest

from digits import architectures
from digits.params import Resnet


def build(widths, blocks=1):
    options = Resnet(architecture="resnet", widths=widths, blocks=blocks, kernel_initializer="he_normal")
    return architectures.build(options, (28, 28, 1), 10)


def test_each_stage_after_the_first_halves_height_and_width():
    network = build([4, 8, 16], blocks=2)
    shapes = [network.get_layer(f"stage{stage}_block1_add").output.shape[1:] for stage in range(3)]
    assert shapes == [(14, 14, 4), (7, 7, 8), (4, 4, 16)]


def test_only_a_block_that_changes_the_shape_has_a_shortcut_of_its_own():
    shortcuts = [layer.name for layer in build([4, 8], blocks=2).layers if "shortcut" in layer.name]
    assert shortcuts == ["stage1_block0_shortcut"]


def test_a_block_that_has_learnt_nothing_passes_its_input_on():
    network = build([4], blocks=1)
    last = network.get_layer("stage0_block0_b_conv")
    last.set_weights([np.zeros_like(weight) for weight in last.get_weights()])
    inner = type(network)(
        network.input, [network.get_layer(name).output for name in ("stem_pool", "stage0_block0_add")]
    )
    before, after = inner.predict(np.full((2, 28, 28, 1), 99, np.uint8), verbose=0)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_number_of_blocks(blocks):
    assert sum(layer.name.endswith("_add") for layer in build([4, 8], blocks).layers) == 2 * blocks
