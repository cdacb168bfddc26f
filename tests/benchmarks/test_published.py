import gzip

import numpy as np

from benchmarks import published
from digits import architectures, params
from tests.conftest import ROOT


def test_it_is_the_network_of_the_recipe_cnn_deep():
    network = published.build()
    ours = architectures.build(params.load(ROOT / "params.yaml").recipe_named("cnn_deep").model, (28, 28, 1), 10)
    assert network.count_params() == ours.count_params() == 863_082
    assert [weight.shape for weight in network.get_weights()] == [weight.shape for weight in ours.get_weights()]


def test_it_reads_the_original_files(tmp_path, monkeypatch):
    pixels, labels = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8), np.array([7, 3], np.uint8)
    for name, header, content in (("images-idx3", 16, pixels), ("labels-idx1", 8, labels)):
        with gzip.open(tmp_path / f"t10k-{name}-ubyte.gz", "wb") as file:
            file.write(bytes(header) + content.tobytes())
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    images, found = published.load("t10k")
    assert images.shape == (2, 28, 28, 1)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.ravel(), pixels / 255, rtol=1e-6)
    assert found.tolist() == [7, 3]
