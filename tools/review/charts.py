"""The curves of a review as Markdown that GitHub draws, for a comment or a summary: these show no picture of a file."""

from tools.review.side import Side


def markdown(base: Side, this: Side) -> str:
    """Returns a chart of the loss and one of the accuracy, in Mermaid.

    Mermaid stretches each line over the whole axis: runs of different lengths have no chart.
    """
    lines: list[str] = []
    if base.history and this.history and len(base.history) == len(this.history) > 1:
        for metric in ("loss", "accuracy"):
            rows = [", ".join(f"{row[f'val_{metric}']:.5g}" for row in side.history or []) for side in (base, this)]
            title = f"{metric} on the validation split: {base.name} grey, {this.name} blue".replace('"', "'")
            lines += [
                *("```mermaid", "---", "config:", "  themeVariables:", "    xyChart:"),
                *('      plotColorPalette: "#999999, #1f77b4"', "---", "xychart-beta", f'  title "{title}"'),
                *(f'  x-axis "epoch" 1 --> {len(this.history)}', *(f"  line [{row}]" for row in rows), "```", ""),
            ]
    return "\n".join(lines)
