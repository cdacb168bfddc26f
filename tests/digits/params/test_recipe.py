import pytest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rotation: 10 ", "rotation: '10' ", "bases.ours.augmentation.rotation is '10'"),
        (
            "name: one_cycle",
            "name: onecycle",
            "bases.ours.schedule.name is 'onecycle': it can be 'constant', 'cosine', 'one_cycle', 'plateau'",
        ),
        ("labels: one_hot ", "labels: integer ", "bases.ours.loss: label_smoothing needs labels: one_hot"),
        ("outlier_share: 0\n", "outlier_share: 0.1\n", "recipes.mlp_dropout: outlier_share needs loss.labels: one_hot"),
        ("outlier_share: 0.12 ", "outlier_share: 1 ", "bases.ours.outlier_share is 1: input should be less than 1"),
        ("calibrate: true ", "calibrate: 1 ", "bases.ours.calibrate is 1: input should be a valid boolean"),
        ("weight: 0.8 ", "weight: 1.5 ", "bases.ours.augmentation.weight is 1.5: input should be less than or"),
        (
            "early_stopping: null ",
            "early_stopping: {monitor: acc, patience: 3} ",
            "early_stopping.monitor is 'acc': input",
        ),
        (
            "    drawing_share: 0.5 ",
            "    validation_fraction: 0.2\n    drawing_share: 0.5 ",
            "recipes.embedded: drawing_share needs validation_fraction: null",
        ),
    ],
)
def test_what_does_not_go_together_or_is_out_of_range(complaint, old, new, said):
    assert said in complaint(old, new)
