import io

import pytest
from PIL import Image

from benchmarks import hostile
from digits.core.errors import UserError
from digits.serving import image_file


@pytest.fixture(scope="module")
def requests():
    return hostile.requests()


# Else they would measure how fast a service refuses damaged files.
@pytest.mark.parametrize("name", ["flat WebP of 24 megapixels", "PNG of 24 megapixels", "JPEG of 2,000 scans"])
def test_they_are_valid_pictures(requests, name):
    assert image_file.Picture(requests[name][1]).pixels > 400_000


def test_they_are_small_to_send(requests):
    assert {name for name, (_, content) in requests.items() if len(content) > 2**19} == {"JSON of 8 MB"}


def test_texts_are_unpacked_when_a_picture_is_opened():
    content = hostile.png_with_text(chunks=3)
    assert len(content) < 10_000
    with Image.open(io.BytesIO(content)) as image:
        assert len(image.info["a"]) == 2**20 - 1


def test_the_pictures_of_a_gif_are_all_blank():
    content = hostile.gif_of_pictures(50)
    with Image.open(io.BytesIO(content)) as image:
        assert image.n_frames == 50
    assert image_file.decode(content).min() == 255


def test_a_form_holds_its_files():
    kind, content = hostile.form([b"one", b"two"])
    assert kind == "multipart/form-data; boundary=frontier"
    assert content.count(b"--frontier") == 3
    with pytest.raises(UserError):
        image_file.decode(content)
