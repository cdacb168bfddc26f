import pytest

from digits import schedules
from digits.params import Constant, Cosine, OneCycle, Plateau


def rates(steps, **settings):
    schedule = schedules.build(OneCycle(name="one_cycle", **settings), steps)
    return [float(schedule(step)) for step in range(steps + 1)]


def test_constant_is_constant():
    assert schedules.build(Constant(name="constant", rate=0.02), 100) == 0.02


def test_one_cycle_rises_to_the_peak_and_falls_to_zero():
    found = rates(100, peak=0.5, warmup=0.2)
    assert found[0] == pytest.approx(0.5 / 25)
    assert max(found) == pytest.approx(0.5)
    assert found.index(max(found)) == 20
    assert found[60] == pytest.approx(0.25)  # half way down the cosine
    assert found[100] == pytest.approx(0, abs=1e-7)
    assert found[:20] == sorted(found[:20])
    assert found[20:] == sorted(found[20:], reverse=True)


def test_without_warmup_it_starts_at_the_peak():
    assert rates(10, peak=0.5, warmup=0.0)[0] == pytest.approx(0.5)


@pytest.mark.parametrize("steps", [1, 2, 6])
def test_a_run_of_few_steps_has_a_schedule_too(steps):
    assert all(0 <= rate <= 0.5 for rate in rates(steps, peak=0.5, warmup=0.99))


def test_a_cosine_falls_from_the_peak_to_zero():
    schedule = schedules.build(Cosine(name="cosine", peak=0.4), 100)
    assert [float(schedule(step)) for step in (0, 50, 100)] == pytest.approx([0.4, 0.2, 0], abs=1e-6)


def test_a_plateau_begins_with_its_rate():
    plateau = Plateau(name="plateau", rate=0.3, factor=0.5, patience=2, monitor="val_loss")
    assert schedules.build(plateau, 100) == 0.3
