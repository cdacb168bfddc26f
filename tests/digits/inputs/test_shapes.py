import numpy as np
import pytest

from digits.inputs import shapes

KINDS = [shapes.glyph, shapes.scribble, shapes.polygon, shapes.flower, shapes.blob, shapes.marked_ring]


@pytest.mark.parametrize("draw", KINDS)
def test_each_shape_is_strokes_that_the_generator_decides(draw):
    first, again, other = (draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(stroke.ndim == 2 and stroke.shape[1] == 2 and len(stroke) > 1 for stroke in first)
    assert all(np.isfinite(stroke).all() for stroke in first)
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))
    assert not np.array_equal(np.concatenate(first), np.concatenate(other))


@pytest.mark.parametrize("draw", [shapes.polygon, shapes.flower, shapes.blob, shapes.marked_ring])
def test_outlines_are_closed(draw):
    for seed in range(20):
        outline, *_ = draw(np.random.default_rng(seed))
        np.testing.assert_allclose(outline[0], outline[-1], atol=1e-9)


def test_a_blob_is_no_circle_and_no_ellipse():
    for seed in range(50):
        (outline,) = shapes.blob(np.random.default_rng(seed))
        centred = outline - outline[:-1].mean(axis=0)
        values, axes = np.linalg.eigh(centred.T @ centred)
        radius = np.linalg.norm(centred @ axes / np.sqrt(values), axis=1)
        assert radius.max() / radius.min() > 1.1


def test_marks_are_around_the_middle_of_their_ring():
    for seed in range(20):
        outline, *marks = shapes.marked_ring(np.random.default_rng(seed))
        assert 1 <= len(marks) <= 3
        for mark in marks:
            assert np.linalg.norm(mark.mean(axis=0)) < np.linalg.norm(outline, axis=1).max()


@pytest.mark.parametrize("name", shapes.LETTERS)
def test_a_letter_has_its_strokes_and_never_the_same(name):
    strokes = shapes.letter(name, np.random.default_rng(1))
    assert len(strokes) == shapes.LETTERS[name].count("|") + 1
    points = np.concatenate(strokes)
    assert (np.ptp(points, axis=0) > 0.2).all()
    assert not np.array_equal(points, np.concatenate(shapes.letter(name, np.random.default_rng(2))))


def test_no_letter_looks_like_a_digit():
    assert not set("0123456789bBDgGiIlLoOpPqQsSyzZ") & set(shapes.LETTERS)


def test_a_curve_begins_and_ends_at_its_control_points():
    points = np.array([[0, 0], [1, 2], [3, 0], [4, 4]], float)
    curve = shapes.curve(points)
    np.testing.assert_array_equal(curve[[0, -1]], points[[0, -1]])
    assert (curve >= points.min(axis=0)).all()
    assert (curve <= points.max(axis=0)).all()
