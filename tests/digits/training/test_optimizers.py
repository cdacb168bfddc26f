import keras
import numpy as np
import pytest

from digits.params import Adam, AdamW, Constant, Cosine, Muon, OneCycle, Plateau, Sgd
from digits.training import optimizers

RATE = Constant(name="constant", rate=0.1)


GRADIENTS = [1.0, -2.0, 0.5]


def after(optimizer):
    """Where a weight of 3 is after three steps, and the optimiser."""
    weight = keras.Variable(3.0)
    built = optimizers.build(optimizer, RATE, 3)
    built.build([weight])
    for gradient in GRADIENTS:
        built.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return float(weight.numpy()), built, weight


def test_plain_gradient_descent_by_hand():
    value, _, _ = after(Sgd(name="sgd", momentum=0, weight_decay=0, ema=0))
    assert value == pytest.approx(3 - 0.1 * sum(GRADIENTS))


def test_momentum_is_nesterovs_by_hand():
    value, velocity = 3.0, 0.0
    for gradient in GRADIENTS:
        velocity = 0.9 * velocity - 0.1 * gradient
        value += 0.9 * velocity - 0.1 * gradient
    assert after(Sgd(name="sgd", momentum=0.9, weight_decay=0, ema=0))[0] == pytest.approx(value, rel=1e-5)


def test_adam_by_hand():
    value, mean, square = 3.0, 0.0, 0.0
    for step, gradient in enumerate(GRADIENTS, 1):
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        value -= 0.1 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-7)
    assert after(Adam(name="adam", ema=0))[0] == pytest.approx(value, rel=1e-4)
    assert after(AdamW(name="adamw", weight_decay=0, ema=0))[0] == pytest.approx(value, rel=1e-4)


def test_decay_shrinks():
    for plain, decayed in [
        (Adam(name="adam", ema=0), AdamW(name="adamw", weight_decay=0.5, ema=0)),
        (Muon(name="muon", weight_decay=0, ema=0), Muon(name="muon", weight_decay=0.5, ema=0)),
        (Sgd(name="sgd", momentum=0, weight_decay=0, ema=0), Sgd(name="sgd", momentum=0, weight_decay=0.5, ema=0)),
    ]:
        assert after(decayed)[0] < after(plain)[0]


def one_step_of_muon(kernel, gradient, decay=0):
    """The change of a variable by one step of a rate of 0.1, and the optimiser."""
    optimizer = optimizers.build(Muon(name="muon", weight_decay=decay, ema=0), RATE, 1)
    variable = keras.Variable(kernel)
    optimizer.build([variable])
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return variable.numpy() - kernel, optimizer


def test_muon_takes_a_kernel_for_the_matrix_that_patches_are_multiplied_with():
    random = np.random.default_rng(0)
    kernel, gradient = random.normal(size=(2, 3, 3, 4, 8)).astype(np.float32)
    change, _ = one_step_of_muon(kernel, gradient)
    flat, _ = one_step_of_muon(kernel.reshape(36, 8), gradient.reshape(36, 8))
    np.testing.assert_allclose(change.reshape(36, 8), flat, rtol=1e-4, atol=1e-6)
    left, values, right = np.linalg.svd(-change.reshape(36, 8), full_matrices=False)
    expected = 0.1 * 0.2 * np.sqrt(36)  # rate, Keras' scale, the longer side: nearly the same in all directions
    assert values == pytest.approx(np.full(8, expected), rel=0.4)
    directions = np.linalg.svd(gradient.reshape(36, 8), full_matrices=False)
    assert np.abs(left @ right - directions[0] @ directions[2]).max() < 0.1


def test_muon_decays_kernels():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 8)).astype(np.float32)
    change, _ = one_step_of_muon(kernel, np.zeros_like(kernel), decay=0.5)
    np.testing.assert_allclose(change, -0.1 * 0.5 * kernel, rtol=1e-3, atol=1e-6)


def test_muon_leaves_biases_to_adamw():
    bias = np.zeros(4, np.float32)
    change, _ = one_step_of_muon(bias, np.array([1, -2, 0.5, 3], np.float32))
    assert change == pytest.approx(-0.1 * np.array([1, -1, 1, 1]), rel=1e-4)


def test_what_is_saved_is_readable_by_keras_alone():
    _, muon = one_step_of_muon(np.ones((3, 3, 1, 2), np.float32), np.ones((3, 3, 1, 2), np.float32))
    assert type(optimizers.to_save(muon)) is keras.optimizers.SGD
    _, adam, _ = after(Adam(name="adam", ema=0))
    assert optimizers.to_save(adam) is adam


def test_the_moving_average_by_hand():
    _, built, weight = after(Sgd(name="sgd", momentum=0, weight_decay=0, ema=0.5))
    values = 3 - 0.1 * np.cumsum(GRADIENTS)
    average = 0.25 * values[0] + 0.25 * values[1] + 0.5 * values[2]  # it begins with the first step's weights
    built.finalize_variable_values([weight])
    assert float(weight.numpy()) == pytest.approx(average, rel=1e-5)


def rates(steps, **settings):
    schedule = optimizers.learning_rate(OneCycle(name="one_cycle", **settings), steps)
    return [float(schedule(step)) for step in range(steps + 1)]


def test_constant_is_constant():
    assert optimizers.learning_rate(Constant(name="constant", rate=0.02), 100) == 0.02


def test_one_cycle_rises_to_the_peak_and_falls_to_zero():
    schedule = rates(100, peak=0.5, warmup=0.2)
    assert schedule[0] == pytest.approx(0.5 / 25)
    assert max(schedule) == pytest.approx(0.5)
    assert schedule.index(max(schedule)) == 20
    assert schedule[60] == pytest.approx(0.25)  # half way down the cosine
    assert schedule[100] == pytest.approx(0, abs=1e-7)
    assert schedule[:20] == sorted(schedule[:20])
    assert schedule[20:] == sorted(schedule[20:], reverse=True)


def test_without_warmup_it_starts_at_the_peak():
    assert rates(10, peak=0.5, warmup=0.0)[0] == pytest.approx(0.5)


@pytest.mark.parametrize("steps", [1, 2, 6])
def test_a_run_of_few_steps_has_a_schedule_too(steps):
    assert all(0 <= rate <= 0.5 for rate in rates(steps, peak=0.5, warmup=0.99))


def test_a_cosine_falls_from_the_peak_to_zero():
    schedule = optimizers.learning_rate(Cosine(name="cosine", peak=0.4), 100)
    assert [float(schedule(step)) for step in (0, 50, 100)] == pytest.approx([0.4, 0.2, 0], abs=1e-6)


def test_a_plateau_begins_with_its_rate():
    plateau = Plateau(name="plateau", rate=0.3, factor=0.5, patience=2, monitor="val_loss")
    assert optimizers.learning_rate(plateau, 100) == 0.3
