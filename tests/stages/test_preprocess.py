import json
from pathlib import Path

import numpy as np

from digits.datasets import raw
from digits.splits import tfrecords
from stages import preprocess

RAW, TFRECORDS = Path("data/raw"), Path("data/tfrecords")


def test_three_splits_of_the_asked_size(project):
    assert tfrecords.read_spec(TFRECORDS).counts == {"train": 1293, "validation": 144, "test": 360}


def test_the_test_split_is_the_raw_one(project):
    np.testing.assert_array_equal(tfrecords.read(TFRECORDS, "test").images, raw.read(RAW).test.images)


def test_train_and_validation_are_the_raw_training_split(project):
    training = raw.read(RAW).train
    parts = [tfrecords.read(TFRECORDS, name) for name in ("train", "validation")]
    images = sorted(image.tobytes() for part in parts for image in part.images)
    assert images == sorted(image.tobytes() for image in training.images)


def test_findings(project):
    findings = json.loads(Path("metrics/data.json").read_text())
    assert findings["splits"]["train"]["images"] == 1293
    assert findings["splits"]["validation"]["per_class"]["3"] == 15
    assert findings["duplicates_across"]["train_test"] == 0


def test_another_seed_holds_others_out(project, set_params):
    before = tfrecords.read(TFRECORDS, "validation").digest()
    set_params("seed: 20", "seed: 21")
    preprocess.main()
    assert tfrecords.read(TFRECORDS, "validation").digest() != before


def test_violations_stop_the_pipeline_and_leave_everything_as_it_was(project, fails, set_params):
    before = tfrecords.read(TFRECORDS, "train").digest()
    set_params("max_imbalance: 100 ", "max_imbalance: 1 ")
    assert fails(preprocess).startswith("preprocess: data/raw: train: the largest class has 1 times the images of the")
    assert tfrecords.read(TFRECORDS, "train").digest() == before


def test_all_violations_in_one_line(project, fails):
    dataset = raw.read(RAW)
    broken = raw.Split(dataset.train.images, dataset.train.labels + 1)
    short = raw.Split(dataset.test.images, dataset.test.labels[1:])
    raw.write(RAW, raw.Dataset(broken, short, {k: v for k, v in dataset.card.items() if k != "sha256"}))
    message = fails(preprocess)
    assert "train: labels go from 1 to 10, not from 0 to 9" in message
    assert "test: 360 images, but 359 labels" in message


def test_a_missing_raw_file(project, fails):
    (RAW / "train_labels.npy").unlink()
    assert fails(preprocess).startswith(
        "preprocess: data/raw/train_labels.npy: No such file or directory; run `dvc repro`"
    )


def test_no_raw_data_at_all(project, fails):
    (RAW / "card.json").unlink()
    assert fails(preprocess).startswith("preprocess: data/raw/card.json: No such file")


def test_a_truncated_raw_file(project, fails):
    path = RAW / "test_images.npy"
    path.write_bytes(path.read_bytes()[:1000])
    assert "data/raw/test_images.npy: corrupt" in fails(preprocess)


def test_a_validation_split_too_small_for_its_classes(project, fails, set_params):
    set_params("validation_fraction: 0.1 ", "validation_fraction: 0.001 ")
    assert "cannot be set aside by class" in fails(preprocess)
