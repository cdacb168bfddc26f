"""Tells schemathesis what an image file is, which no JSON schema can; for its command line, too:

SCHEMATHESIS_HOOKS=tests.apps.api.images schemathesis run http://127.0.0.1:8000/openapi.json
"""

import io

import schemathesis
from hypothesis import strategies as st
from PIL import Image

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def files(kind, modes):
    return st.builds(encode, st.just(kind), st.sampled_from(modes), SIZES, st.integers(0, 255))


def encode(kind, mode, size, shade):
    image = Image.new("L", size, 255)
    image.putpixel((size[0] // 2, size[1] // 2), shade)
    file = io.BytesIO()
    image.convert(mode).save(file, kind)
    return file.getvalue()


schemathesis.openapi.media_type("image/png", files("PNG", ("1", "L", "LA", "P", "RGB", "RGBA")))
schemathesis.openapi.media_type("image/jpeg", files("JPEG", ("L", "RGB", "CMYK")))
