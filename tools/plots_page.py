"""Writes the page template for `dvc plots show` with Vega embedded; DVC's own page loads it from the network.

`tools/configure_dvc.py` writes it where vl-convert-python, which brings the scripts, is installed.
"""

import vl_convert

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Digits: plots</title>
<style>
  body { font-family: sans-serif; margin: 2em; display: flex; flex-wrap: wrap; gap: 2em; align-items: flex-start; }
  img { max-width: min(100%, 60em); }
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
