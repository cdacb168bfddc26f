"""The page for `dvc plots show` and `diff`, with Vega inside: DVC's own page loads it from the network.

DVC puts the pictures of all revisions into one line, which its page cuts off; here they stand beside each other as far
as the window is wide, then below each other. `tools/configure_dvc.py` writes the page and tells DVC about it.
"""

import vl_convert

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Digits: plots</title>
<style>
  body { font-family: sans-serif; margin: 2em; display: flex; flex-wrap: wrap; gap: 2em; align-items: flex-start; }
  body > div { max-width: 100%; border: none !important; white-space: normal !important; overflow: visible !important; }
  body > div > div { vertical-align: top; border: none !important; margin: 0 1em 1em 0 !important; max-width: 100%; }
  body > div > p { font-weight: bold; }
  img { max-width: min(44em, 90vw); }
</style>
<script>SCRIPT</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def page() -> str:
    """Returns the template, with DVC's placeholder for the plots."""
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return PAGE.replace("SCRIPT", script.replace("</script", "<\\/script"))
