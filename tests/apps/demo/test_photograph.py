import base64

import pytest

from apps.demo import photograph
from digits.core.errors import UserError


@pytest.mark.parametrize("content", [b"\x89PNG\r\n", bytes(range(256)) * 100])
def test_a_file_comes_as_it_is(content):
    assert photograph.parse(f"data:image/png;base64,{base64.b64encode(content).decode()}") == content


# Browsers leave out the comma or the content.
@pytest.mark.parametrize("url", ["data:", "data:image/png;base64,"])
def test_an_empty_file_is_a_file(url):
    assert photograph.parse(url) == b""


@pytest.mark.parametrize(
    "sent", [None, 7, [], {}, "", "iVBORw0KGgo=", "data:image/png;base64,é", "data:,a%20b", "http://x"]
)
def test_what_is_no_data_url_is_refused(sent):
    with pytest.raises(UserError, match="load the page again"):
        photograph.parse(sent)
