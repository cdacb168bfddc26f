"""Stage `download`: a dataset's name in, its raw images and labels and its card out."""

import os
from pathlib import Path

from digits import datasets, errors, params, paths, rawdata


def main() -> None:
    """Reads `dataset` from the parameters and `MNIST_DIR` from the environment."""
    parameters = params.load()
    folder = os.environ.get("MNIST_DIR")
    dataset = datasets.load(parameters.dataset, mnist_dir=Path(folder) if folder else None)
    rawdata.write(paths.RAW, dataset)
    print(f"{dataset.card['name']} {dataset.card['version']}: {len(dataset.train):,} train, {len(dataset.test):,} test")


if __name__ == "__main__":
    errors.run(main)
