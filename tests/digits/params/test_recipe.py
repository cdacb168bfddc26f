import pytest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rotation: 10 ", "rotation: '10' ", "recipes.fast_cnn.augmentation.rotation is '10'"),
        (
            "name: one_cycle",
            "name: onecycle",
            "recipes.fast_cnn.schedule.name is 'onecycle': it can be 'constant', 'cosine', 'one_cycle', 'plateau'",
        ),
        ("labels: one_hot ", "labels: integer ", "recipes.fast_cnn.loss: label_smoothing needs labels: one_hot"),
        (
            "outliers: 0\n",
            "outliers: 0.1\n",
            "recipes.mlp_dropout: outliers need loss.labels: one_hot, because they belong to all classes alike",
        ),
        ("outliers: 0.1 ", "outliers: 1 ", "recipes.fast_cnn.outliers is 1: input should be less than 1"),
        ("calibrate: true ", "calibrate: 1 ", "recipes.fast_cnn.calibrate is 1: input should be a valid boolean"),
        ("weight: 0.8 ", "weight: 1.5 ", "recipes.fast_cnn.augmentation.weight is 1.5: input should be less than or"),
        (
            "early_stopping: null ",
            "early_stopping: {monitor: acc, patience: 3} ",
            "early_stopping.monitor is 'acc': input",
        ),
    ],
)
def test_what_does_not_go_together_or_is_out_of_range(complaint, old, new, said):
    assert said in complaint(old, new)
