import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps import limits
from apps.api import reading
from benchmarks import hostile
from digits.core.errors import UserError
from tests.apps.conftest import encoded

ROWS = np.arange(784).reshape(28, 28) % 256


def changed(value):
    """An image whose pixels are whole numbers, but for one in the middle."""
    rows = ROWS.tolist()
    rows[14][14] = value
    return rows


def test_one_image_or_a_list_of_images():
    assert np.array_equal(reading.from_json(json.dumps(ROWS.tolist()).encode()), [ROWS])
    assert np.array_equal(reading.from_json(json.dumps([ROWS.tolist()] * 3).encode()), [ROWS] * 3)
    assert reading.from_json(json.dumps(ROWS.tolist()).encode())[0].dtype == np.uint8


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (784,)])
def test_an_image_may_be_nested_as_other_programs_nest_it(shape):
    one, three = ROWS.reshape(shape), np.stack([ROWS, 255 - ROWS, ROWS]).reshape(3, *shape)
    assert np.array_equal(reading.from_json(json.dumps(one.tolist()).encode()), [ROWS])
    assert np.array_equal(reading.from_json(json.dumps([one.tolist()]).encode()), [ROWS])
    assert np.array_equal(reading.from_json(json.dumps(three.tolist()).encode()), [ROWS, 255 - ROWS, ROWS])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([7] * 783, r"JSON of shape \(783,\); send an array of 28x28 integers, or a list of such arrays"),
        ({"image": 7}, r"JSON of shape \(\); send an array of 28x28 integers"),
        ([[7] * 28] * 27 + [[7] * 27], r"a ragged array: it begins as one of shape \(28, 28\)"),
        ([[[7] * 28] * 28] * 65, "too many images: 65, at most 64 a request"),
    ],
)
def test_another_shape_is_refused_with_the_one_that_is_wanted(content, told):
    with pytest.raises(UserError, match=told):
        reading.from_json(json.dumps(content).encode())


@pytest.mark.parametrize("white", [1, 15, 16])
def test_pixels_on_another_scale_are_refused_with_the_reason(white):
    rows = (ROWS > 100) * white
    with pytest.raises(UserError, match=f"image 2: no pixel is above {white}; scale them to 0 to 255"):
        reading.from_json(json.dumps([ROWS.tolist(), rows.tolist()]).encode())


@pytest.mark.parametrize("shade", [0, 1, 16, 255])
def test_an_empty_image_is_one_in_any_shade(shade):
    assert reading.from_json(json.dumps(np.full((28, 28), shade).tolist()).encode())[0].max() == shade


def test_a_whole_number_may_be_written_with_a_point():
    assert reading.from_json(json.dumps(changed(7.0)).encode())[0][14, 14] == 7


@pytest.mark.parametrize("value", [-1, 256, 10**30, -(10**30), 0.5, 254.999, "7", "", None, True, False, [], [7], {}])
def test_a_pixel_is_a_whole_number_from_0_to_255(value):
    with pytest.raises(UserError):
        reading.from_json(json.dumps(changed(value)).encode())


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "1e300", "0x7", "007", "7,"])
def test_a_pixel_is_a_number_that_json_knows(value):
    with pytest.raises(UserError):
        reading.from_json(json.dumps(changed("here")).replace('"here"', value).encode())


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        "7",
        7,
        None,
        [[]],
        [[[]]],
        [7] * 28,
        [[7] * 28] * 27,
        [[7] * 28] * 29,
        [[7] * 28] * 27 + [[7] * 27],  # ragged
        [[7] * 27] + [[7] * 28] * 27,
        [[7] * 28] * 27 + [None],
        [[7] * 28] * 27 + ["7" * 28],
        [[[7] * 28] * 28, [[7] * 28] * 27],  # one image of two is short
        [[[[7, 7]] * 28] * 28],
        [[[[[7]]] * 28] * 28],
        [[[7] * 28] * 28] * (limits.IMAGES + 1),
        {"image": [[7] * 28] * 28},
    ],
)
def test_an_array_of_another_shape_is_refused(content):
    with pytest.raises(UserError):
        reading.from_json(json.dumps(content).encode())


@pytest.mark.parametrize("content", [b"", b"[", b"[" * 100_000, b"[" * 900 + b"]" * 900, b"\xff\xfe[\x00", b"\x00"])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(UserError):
        reading.from_json(content)


@given(content=st.binary(max_size=300), kind=st.sampled_from(["image/png", "application/json", "multipart/form-data"]))
def test_nothing_else_is_raised_for_any_bytes(content, kind):
    with pytest.raises(UserError):
        list(reading.drawings(kind + "; boundary=b", content))


@given(content=st.binary(max_size=200))
def test_any_bytes_between_the_marks_of_a_form_are_handed_on(content):
    body = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + content
    if b"\r\n--frontier" not in b"\r\n" + content:
        assert reading.files(b"frontier", body + b"\r\n--frontier--\r\n") == [content]


def test_a_part_in_base64_is_read():
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    assert reading.files(b"b", body + b"aGVsbG8=\r\n--b--\r\n") == [b"hello"]
    with pytest.raises(UserError):
        reading.files(b"b", body + b"aGVsb\r\n--b--\r\n")


def test_a_form_that_breaks_off_is_refused():
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello'
    with pytest.raises(UserError):
        reading.files(b"b", body)


def test_a_large_file_of_a_form_is_whole():
    content = np.random.default_rng(0).bytes(3 * 2**20)  # above what such parsers keep in memory by themselves
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + content + b"\r\n--b--\r\n"
    assert reading.files(b"b", body) == [content]


# 64 pictures of 24 megapixels fit into a body, but not into memory.
def test_the_files_of_a_form_are_decoded_one_after_the_other(monkeypatch):
    decoded = []
    monkeypatch.setattr(reading.Picture, "decode", lambda picture: decoded.append(picture) or ROWS)
    found = reading.drawings(*hostile.form([encoded(ROWS.astype(np.uint8))] * 3))
    next(found)
    assert len(decoded) == 1
    assert len(list(found)) == 2


def test_the_content_type_decides():
    image = ROWS.astype(np.uint8)
    assert np.array_equal(next(reading.drawings("image/whatever", encoded(image))), image)
    assert np.array_equal(next(reading.drawings("Application/OCTET-stream", encoded(image))), image)
    assert np.array_equal(next(reading.drawings(*hostile.form([encoded(image)]))), image)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/whatever", "image/whatever"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("multipart/form-data; boundary=b", "multipart/form-data"),
        ("application/octet-stream", "application/octet-stream"),
        ("text/html", ""),
        ("application/jsonx", ""),
        ("", ""),
        (";", ""),
    ],
)
def test_the_media_types_that_are_read(content_type, kind):
    assert reading.media_type(content_type) == kind


@given(st.text(st.characters(max_codepoint=255), max_size=60))
@example("multipart/form-data; boundary*=utf-8''%ff%")
@example("image/png; a*0=b; a*1=c; \\")
def test_any_header_has_a_media_type_or_none(header):
    assert isinstance(reading.media_type(header), str)
    for kind in ("multipart/form-data; ", "application/json; "):
        assert reading.media_type(kind + header) in (kind[:-2], "")
        with pytest.raises(UserError):
            reading.drawings(kind + "boundary=b;" + header, b"--b\r\n")


# Pixels take the time and the memory, not bytes: a flat picture of 24 megapixels has a kilobyte.
def test_all_pictures_of_a_request_have_the_pixels_of_one(monkeypatch):
    monkeypatch.setattr(reading.Picture, "decode", lambda picture: pytest.fail("decoded"))
    request = hostile.form([encoded(np.zeros((3000, 4001), np.uint8), "PNG")] * 2)
    with pytest.raises(UserError, match=r"images of 24 megapixels; at most 24 a request are read"):
        reading.drawings(*request)


def test_a_worker_for_small_requests_decodes_no_large_ones(monkeypatch):
    content = encoded(ROWS.astype(np.uint8))
    assert len(list(reading.drawings("image/png", content, pixels=784))) == 1
    monkeypatch.setattr(reading.Picture, "decode", lambda picture: pytest.fail("decoded"))
    for request in (("image/png", content), hostile.form([content] * 2)):
        with pytest.raises(reading.LargeError):
            reading.drawings(*request, pixels=783)
