"""Stage `download`: a dataset's name in, its raw images and labels and its card out."""

import os
from pathlib import Path

from digits import params
from digits.core import errors, paths
from digits.datasets import raw, sources


def main() -> None:
    """Loads the parameter `dataset`, from the folder `MNIST_DIR` if that environment variable is set."""
    parameters = params.load()
    folder = os.environ.get("MNIST_DIR")
    dataset = sources.load(
        parameters.dataset,
        mnist_dir=Path(folder) if folder else None,
        framed=parameters.pictures.framed,
        size=parameters.pictures.size,
        channels=parameters.pictures.channels,
    )
    raw.write(paths.RAW, dataset)
    print(f"{dataset.card['name']} {dataset.card['version']}: {len(dataset.train):,} train, {len(dataset.test):,} test")


if __name__ == "__main__":
    errors.run(main)
