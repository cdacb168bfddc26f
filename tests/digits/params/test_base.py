import pytest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 20", "sead: 20", "unknown key sead; the keys here are dataset, seed, preprocess"),
        ("seed: 20", "", "seed is missing"),
        ("seed: 20", "seed: twenty", "seed is 'twenty': input should be a valid integer"),
        ("seed: 20", "seed: 20.5", "seed is 20.5: input should be a valid integer"),
        ("seed: 20", "seed: -1", "seed is -1: input should be greater than or equal to 0"),
        ("seed: 20", "seed: true", "seed is True"),
        ("dataset: mnist", "dataset: 7", "dataset is 7: input should be a valid string"),
        ("    epochs: 20", "    epoch: 20", "recipes.fast_cnn: unknown key epoch; the keys here are model, members"),
        ("    epochs: 20", "", "recipes.fast_cnn.epochs is missing"),
        ("rotation: 10 ", "rotations: 10 ", "recipes.fast_cnn.augmentation: unknown key rotations"),
        ("widths: [32, 64, 128]", "width: 3", "recipes.fast_cnn.model: unknown key width; the keys here are kernel_in"),
        ("widths: [32, 64, 128]", "", "recipes.fast_cnn.model.widths is missing"),
        ("min_accuracy:", "min_accuracies:", "evaluate: unknown key min_accuracies; the keys here are max_error"),
        ("      name: one_cycle", "      named: one_cycle", "recipes.fast_cnn.schedule.name is missing"),
        ("peak: 0.01 ", "peak: .inf ", "recipes.fast_cnn.schedule.peak is inf: input should be a finite number"),
    ],
)
def test_a_key_is_known_there_and_of_its_type(complaint, old, new, said):
    assert said in complaint(old, new)
