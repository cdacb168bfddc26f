"""Stage `export`: the model in; the same for other runtimes, how well each agrees with it, and the model card out."""

import numpy as np

from digits import about, artifacts, card, errors, exporting, models, params, parity, paths, records, runtime


def main() -> None:
    """Reads the test split to compare the formats with Keras on it, and chooses nothing by that."""
    parameters = params.load()
    runtime.configure(parameters.train.threads)
    model = models.load(paths.MODEL)
    train, test = (records.read(paths.TFRECORDS, split) for split in ("train", "test"))
    chosen = np.random.default_rng(parameters.seed).permutation(len(train))[: parameters.export.representative_images]

    exporting.write_saved_model(paths.SAVED_MODEL, model)
    exporting.write_litert(paths.LITERT, model)
    exporting.write_litert_int8(paths.LITERT_INT8, model, train.images[np.sort(chosen)])
    exporting.write_onnx(paths.ONNX, model)

    files = (paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.LITERT_INT8, paths.ONNX)
    agreement = parity.measure(files, test, parameters.train.threads)
    artifacts.write_json(paths.EXPORT_METRICS, agreement)
    figures = {
        name: artifacts.read_json(path)
        for name, path in (
            ("data", paths.DATA_METRICS),
            ("train", paths.TRAIN_METRICS),
            ("test", paths.TEST_METRICS),
            ("robustness", paths.ROBUSTNESS_METRICS),
        )
    }
    dataset = artifacts.read_json(paths.RAW / "card.json")
    text = card.markdown(about.read(paths.ABOUT), dataset, parameters.active_recipe, figures, agreement)
    artifacts.write_text(paths.MODEL_CARD, text)
    for name, found in agreement.items():
        print(f"{name}: agrees on {found['agreement']:.2%}, {found['bytes'] / 1e6:.2f} MB")


if __name__ == "__main__":
    errors.run(main)
