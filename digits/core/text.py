"""Numbers as text for people."""


def percent(probability: float) -> str:
    """A probability with one decimal; rounding never makes it certain."""
    return ">99.9%" if probability > 0.999 else f"{probability:.1%}"
