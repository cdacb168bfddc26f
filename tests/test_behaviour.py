"""What anybody may expect of a model that reads digits, whatever its weights: behaviour, not figures.

The three kinds are those of Ribeiro et al. (CheckList, 2020): minimum functionality, invariance, direction. The model
is the committed run's where its outputs are here, else a small one that `trained` makes. Each limit is well below what
all models reached that were tried: three seeds of the small one, `fast_cnn`, `embedded`, `resnet`, `cnn_deep` and
`cnn_compact`.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from digits import params
from digits.core import paths
from digits.drawing import framing, strokes
from digits.evaluation.corruptions import CORRUPTIONS
from digits.serving.predictor import Predictor
from tests.apps.conftest import trained  # noqa: F401  # a fixture
from tests.conftest import ROOT

SAME = 0.9  # the least share of drawings whose answer a harmless change must leave


@pytest.fixture(scope="module")
def model(trained):  # noqa: F811
    return Predictor(trained / paths.LITERT, trained / paths.ABOUT)


@pytest.fixture(scope="module")
def drawings():
    """Drawings of digits, by pen, in an alphabet that the model does not learn from."""
    return [drawing for drawing in strokes.read(ROOT / paths.DRAWINGS) if drawing.label is not None]


@pytest.fixture(scope="module")
def images(drawings):
    """Black on white, uint8 `[H, W]` each."""
    return [strokes.render(drawing) for drawing in drawings]


@pytest.fixture(scope="module")
def frames(images):
    """As the network gets them, uint8 `[N, 28, 28]`."""
    return np.stack(framing.frames(images))


@pytest.fixture(scope="module")
def some(drawings, images, frames):
    """Every fifth drawing, image and frame, of all ways of writing: for changes after which all is framed anew."""
    return drawings[::5], images[::5], frames[::5]


def answers(model, frames):
    return model.probabilities(frames).argmax(axis=1)


def share_of_same_answers(model, frames, changed):
    return np.mean(answers(model, frames) == answers(model, changed))


# Minimum functionality


@pytest.mark.parametrize("digit", range(10))
def test_most_plain_drawings_of_each_digit_are_read(model, drawings, frames, digit):
    of_this_digit = frames[[drawing.label == digit for drawing in drawings]]
    assert np.mean(answers(model, of_this_digit) == digit) >= 0.75


def test_each_way_of_writing_a_digit_is_read(model, drawings, frames):
    # A seven with and without a bar, a four open or closed: people learn others in other places.
    right = answers(model, frames) == [drawing.label for drawing in drawings]
    styles = np.array([f"{drawing.label} {drawing.style}" for drawing in drawings])
    assert not [style for style in np.unique(styles) if right[styles == style].mean() < 0.5]


def test_an_empty_sheet_is_no_digit(model):
    assert model(np.full((100, 100), 255, np.uint8)).verdict == "nothing drawn"


# Invariance


@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (0, -1), (1, 0), (-1, 0)])
def test_a_shift_by_one_pixel_does_not_change_the_answer(model, frames, rows, columns):
    assert share_of_same_answers(model, frames, np.roll(frames, (rows, columns), axis=(1, 2))) >= SAME


@pytest.mark.parametrize("degrees", [-5, 5])
def test_a_small_rotation_does_not_change_the_answer(model, some, degrees):
    _, images, frames = some
    turned = framing.frames([ndimage.rotate(image, degrees, order=1, cval=255) for image in images])
    assert share_of_same_answers(model, frames, np.stack(turned)) >= SAME


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((20, 40, 160), (255, 255, 255)), ((200, 30, 30), (250, 245, 225)), ((255, 255, 255), (0, 60, 30))],
    ids=["blue on white", "red on cream", "chalk on a board"],
)
def test_the_colour_of_ink_and_paper_does_not_change_the_answer(model, some, ink, paper):
    _, images, frames = some
    covered = [1 - image[..., None] / 255 for image in images]
    coloured = [np.round(share * ink + (1 - share) * paper).astype(np.uint8) for share in covered]
    assert share_of_same_answers(model, frames, np.stack(framing.frames(coloured))) >= SAME


@pytest.mark.parametrize("factor", [0.5, 2])
def test_the_size_of_the_drawing_does_not_change_the_answer(model, some, factor):
    drawings, _, frames = some
    scaled = [
        replace(
            drawing,
            canvas=tuple(round(side * factor) for side in drawing.canvas),
            pen=drawing.pen * factor,
            strokes=tuple(stroke * factor for stroke in drawing.strokes),
        )
        for drawing in drawings
    ]
    assert share_of_same_answers(model, frames, np.stack(framing.frames(map(strokes.render, scaled)))) >= SAME


def test_the_answer_does_not_depend_on_the_images_beside_it(model, frames):
    alone = np.concatenate([model.probabilities(frame[None]) for frame in frames[:20]])
    np.testing.assert_allclose(model.probabilities(frames[:20]), alone, atol=1e-5)


# Direction


def confidence(model, frames):
    return model.probabilities(frames).max(axis=1).mean()


# So much that no recipe takes it for what it learnt from: a fifth of the training images are corrupted.
@pytest.mark.parametrize(("kind", "strengths"), [("noise", (0.4, 0.8)), ("speckle", (0.3, 0.6))])
def test_more_noise_gives_less_confidence_on_average(model, frames, kind, strengths):
    corrupt, _ = CORRUPTIONS[kind]
    confidences = [confidence(model, frames)]
    for strength in strengths:
        noisy = corrupt(frames.astype(np.float64), strength, np.random.default_rng(1))
        confidences.append(confidence(model, np.clip(np.round(noisy), 0, 255).astype(np.uint8)))
    assert np.all(np.diff(confidences) < 0)
    assert confidences[-1] < confidences[0] - 0.1


# Probabilities


@pytest.fixture(scope="module")
def strange():
    """Frames that nobody drew: black, white, grey, one pixel, chequered, noise; uint8 `[N, 28, 28]`."""
    flat = [np.full((28, 28), value, np.uint8) for value in (0, 1, 127, 255)]
    pixel = np.zeros((28, 28), np.uint8)
    pixel[14, 14] = 255
    chequered = np.indices((28, 28)).sum(axis=0).astype(np.uint8) % 2 * 255
    noise = np.random.default_rng(2).integers(0, 256, (100, 28, 28), np.uint8)
    return np.concatenate([[*flat, pixel, chequered], noise])


@pytest.mark.parametrize(
    ("file", "tolerance"),
    [(paths.MODEL, 1e-5), (paths.LITERT, 1e-5), (paths.LITERT_INT8, 0.02)],  # the last counts in steps of 1/256
)
def test_probabilities_are_numbers_that_sum_to_one(trained, frames, strange, file, tolerance):  # noqa: F811
    probabilities = Predictor(trained / file, trained / paths.ABOUT).probabilities(np.concatenate([frames, strange]))
    assert np.all(np.isfinite(probabilities))
    assert np.all((probabilities >= 0) & (probabilities <= 1))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=tolerance)


# Against simpler models


def test_no_smaller_network_of_the_committed_comparison_is_as_good():
    figures = json.loads((ROOT / "compare/metrics.json").read_text())
    own = figures[params.load(ROOT / "params.yaml").recipe]
    smaller = {name: other for name, other in figures.items() if other["weights"] < own["weights"]}
    assert smaller
    assert not [name for name, other in smaller.items() if other["test_accuracy_high"] >= own["test_accuracy_low"]]
