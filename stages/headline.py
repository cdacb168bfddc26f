"""Stage `headline`: the metrics of the other stages in; the dozen figures by which runs are compared out."""

from digits.core import errors, files, paths
from digits.evaluation import headline


def main() -> None:
    """Measures nothing itself: it chooses what a reviewer reads first."""
    figures = headline.figures(
        files.read_json(paths.TRAIN_METRICS),
        files.read_json(paths.TEST_METRICS),
        files.read_json(paths.ROBUSTNESS_METRICS),
        files.read_json(paths.EXPORT_METRICS),
    )
    files.write_json(paths.HEADLINE, figures)
    print(f"{paths.HEADLINE}: {figures['accuracy']:.2%} on the test split")


if __name__ == "__main__":
    errors.run(main)
