"""Stage `export`: the model in; its export to other formats, their agreement with it, and the model card out."""

import numpy as np

from digits import params
from digits.core import errors, files, paths
from digits.datasets import raw
from digits.export import formats, inventory, model_card, parity
from digits.models import determinism, keras_file, metadata, provenance
from digits.splits import tfrecords


def main() -> None:
    """Compares the formats with Keras on the test split, and chooses nothing by it."""
    parameters = params.load()
    processor = parameters.processor
    determinism.configure(processor)
    model = keras_file.load(paths.MODEL)
    train, test = (tfrecords.read(paths.TFRECORDS, split) for split in ("train", "test"))
    chosen = np.random.default_rng(parameters.seed).permutation(len(train))[: parameters.export.representative_images]

    record = {**provenance.read(paths.MODEL), "exported_from": files.sha256(paths.MODEL)}
    formats.write_saved_model(paths.SAVED_MODEL, model, record)
    formats.write_litert(paths.LITERT, model, record)
    formats.write_litert_int8(paths.LITERT_INT8, model, train.images[np.sort(chosen)], record)
    formats.write_onnx(paths.ONNX, model, record)

    models = (paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.LITERT_INT8, paths.ONNX)
    agreement = parity.measure(models, test, processor.threads)
    files.write_json(paths.EXPORT_METRICS, agreement)
    inventory.write(paths.FORMATS, {name: measured["accuracy"] for name, measured in agreement.items()})
    metrics = {
        name: files.read_json(path)
        for name, path in (
            ("data", paths.DATA_METRICS),
            ("train", paths.TRAIN_METRICS),
            ("test", paths.TEST_METRICS),
            ("robustness", paths.ROBUSTNESS_METRICS),
        )
    }
    dataset = raw.read_card(paths.RAW)
    text = model_card.markdown(metadata.read(paths.ABOUT), dataset, parameters.active_recipe, metrics, agreement)
    files.write_text(paths.MODEL_CARD, text)
    for name, measured in agreement.items():
        print(f"{name}: agrees on {measured['agreement']:.2%}, {measured['bytes'] / 1e6:.2f} MB")


if __name__ == "__main__":
    errors.run(main)
