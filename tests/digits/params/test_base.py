import pytest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 20", "sead: 20", "unknown key sead; did you mean seed?"),
        ("seed: 20", "seeds_of_all: 20", "unknown key seeds_of_all; the keys here are dataset, seed, pictures"),
        ("seed: 20", "seed: 20\nbach_size: 1\npreproces: 2", "unknown key bach_size, preproces; the keys here are"),
        ("seed: 20", "", "seed is missing"),
        ("seed: 20", "seed: twenty", "seed is 'twenty': input should be a valid integer"),
        ("seed: 20", "seed: 20.5", "seed is 20.5: input should be a valid integer"),
        ("seed: 20", "seed: -1", "seed is -1: input should be greater than or equal to 0"),
        ("seed: 20", "seed: true", "seed is True"),
        ("dataset: mnist", "dataset: 7", "dataset is 7: input should be a valid string"),
        (
            "    batch_size: 512\n    epochs: 7",
            "    epoch: 7",
            "recipes.fast_cnn: unknown key epoch; did you mean epochs?",
        ),
        ("rotation: 10 ", "rotations: 10 ", "bases.ours.augmentation: unknown key rotations; did you mean rotation?"),
        ("      name: one_cycle", "      named: one_cycle", "bases.ours.schedule.name is missing"),
        ("peak: 0.02 ", "peak: .inf ", "bases.ours.schedule.peak is inf: input should be a finite number"),
        ("min_accuracy:", "min_accuracies:", "evaluate: unknown key min_accuracies; did you mean min_accuracy?"),
    ],
)
def test_a_key_is_known_there_and_of_its_type(complaint, old, new, said):
    assert said in complaint(old, new)
