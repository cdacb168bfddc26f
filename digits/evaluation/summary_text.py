"""The metrics of a test split as a text table."""

from collections.abc import Mapping
from typing import Any


def table(summary: Mapping[str, Any]) -> str:
    """Returns a `summary` of `digits.metrics.scoring.summarize` as a table."""
    width = max(map(len, summary["per_class"]))
    lines = [
        f"accuracy           {summary['accuracy']:.2%}   95 % interval {summary['accuracy_low']:.2%} to "
        f"{summary['accuracy_high']:.2%}   ({summary['correct']:,} of {summary['total']:,})",
        f"loss               {summary['loss']:.4f}",
        f"calibration error  {summary['ece']:.2%}",
        f"{'class':>{max(width, 5)}}  precision  recall      f1  images",
    ]
    lines += [
        f"{name:>{max(width, 5)}}  {row['precision']:9.2%} {row['recall']:7.2%} {row['f1']:7.2%} {row['support']:7,}"
        for name, row in summary["per_class"].items()
    ]
    return "\n".join(lines)
