"""The photograph that the page sends as a data URL."""

import base64

from digits.core.errors import UserError


def parse(url: str) -> bytes:
    """Reads the file in a data URL.

    Raises:
        UserError: the text is not what the page sends.
    """
    try:
        scheme, _, content = url.partition(",")  # no comma if the file is empty
        if scheme.startswith("data:"):
            return base64.b64decode(content, validate=True)
    except (AttributeError, ValueError):
        pass
    raise UserError("the photograph cannot be read; load the page again")
