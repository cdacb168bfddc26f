"""A review as text: Markdown for the comment on a pull request, HTML for a page that needs no network."""

import base64
import html
import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure as Picture

from tools.review.figures import COUNTS, SHARES, Figure
from tools.review.side import Side

MARKS = {"better": "▲ better", "worse": "▼ worse", "no clear difference": "= no clear difference"}
LABELS = {
    "accuracy": "test accuracy",
    "val_accuracy": "validation accuracy",
    "loss": "test loss",
    "ece": "calibration error, test",
    "refused": "test images without a sure answer",
    "wrong_when_sure": "wrong among the sure answers",
    "drawings": "accuracy on drawings",
    "scikit_learn": "accuracy on scikit-learn's digits",
    "photographs": "photographs, sure and right",
    "no_digits_refused": "non-digits without a sure answer",
    "weights": "weights",
    "int8_agreement": "agreement of the int8 model",
    "int8_bytes": "size of the int8 model",
}
CAPTIONS = {
    "curves": "Training",
    "confusion_base": "Confusion",
    "confusion_this": "",
    "gained": "Images",
    "lost": "",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:68rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #ddd;text-align:left}"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%;vertical-align:top}"
    "img[alt^=confusion]{width:49%}.better{color:#1a7f37}.worse{color:#b42318}"
)


def changes(base: Side, this: Side) -> list[tuple[str, str, str]]:
    """Returns key, value in `base` and value in `this` of each parameter that differs."""
    keys = [*this.params, *(key for key in base.params if key not in this.params)]
    pairs = [(key, base.params.get(key, "—"), this.params.get(key, "—")) for key in keys]
    return [(key, str(first), str(second)) for key, first, second in pairs if first != second]


def number(name: str, value: float | None, interval: tuple[float, float] | None = None) -> str:
    """Formats a figure: `99.65 % (99.51 to 99.75)`, `116,186`, `0.0107`; `—` for none."""
    if value is None:
        return "—"
    if name == "int8_bytes":
        return f"{value / 1000:,.0f} kB"
    if name in COUNTS:
        return f"{value:,.0f}"
    if name not in SHARES and name != "ece":
        return f"{value:.4f}"
    return f"{value:.2%}" + (f" ({interval[0]:.2%} to {interval[1]:.2%})" if interval else "")


def difference(figure: Figure) -> str:
    """Formats how much a figure changed: `+0.12 points`, `-3.0%`."""
    if figure.base is None or figure.this is None:
        return "—"
    change = figure.this - figure.base
    if figure.name in COUNTS:
        return f"{change / figure.base:+.1%}"
    return f"{100 * change:+.2f} points" if figure.name in SHARES or figure.name == "ece" else f"{change:+.4f}"


def markdown(base: Side, this: Side, figures: Sequence[Figure]) -> str:
    """Returns the review as Markdown, without pictures, which a comment cannot hold."""
    lines = [f"### {base.name} → {this.name}", "", *_markdown_table(_HEADER, _rows(figures)), ""]
    if changed := changes(base, this):
        lines += [*_markdown_table(("parameter", base.name, this.name), changed), ""]
    else:
        lines += ["No parameter of the active recipe differs.", ""]
    return "\n".join(lines)


_HEADER = ("", "before", "after", "difference", "verdict", "why")


def _rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    return [
        (
            LABELS[figure.name],
            number(figure.name, figure.base, figure.base_interval),
            number(figure.name, figure.this, figure.this_interval),
            difference(figure),
            MARKS.get(figure.verdict, figure.verdict),
            figure.reason,
        )
        for figure in figures
    ]


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    escaped = [[" ".join(cell.replace("|", "\\|").split()) for cell in row] for row in (header, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    return [lines[0], f"|{'---|' * len(header)}", *lines[1:]]


def page(base: Side, this: Side, figures: Sequence[Figure], pictures: Mapping[str, Picture]) -> str:
    """Returns the review as one HTML file with its pictures inside."""
    title = html.escape(f"{base.name} → {this.name}")
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>",
        _html_table(_HEADER, _rows(figures), [figure.verdict for figure in figures]),
        "<h2>Parameters</h2>",
        _html_table(("parameter", base.name, this.name), changed)
        if (changed := changes(base, this))
        else "<p>No parameter of the active recipe differs.</p>",
    ]
    for name, picture in pictures.items():
        if CAPTIONS[name]:
            parts.append(f"<h2>{CAPTIONS[name]}</h2>")
        parts.append(f'<img alt="{name}" src="data:image/png;base64,{_encoded(picture)}">')
    return "\n".join([*parts, "</body></html>", ""])


def _html_table(header: Sequence[str], rows: Sequence[Sequence[str]], classes: Sequence[str] = ()) -> str:
    heads = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    lines = [
        f'<tr class="{kind}">' + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row, kind in zip(rows, classes or [""] * len(rows), strict=True)
    ]
    return f"<table><tr>{heads}</tr>{''.join(lines)}</table>"


def _encoded(picture: Picture) -> str:
    file = io.BytesIO()
    picture.savefig(file, format="png", dpi=100, metadata={"Software": None})
    return base64.b64encode(file.getvalue()).decode()
