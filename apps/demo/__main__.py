"""Serves the page: `make demo`, or python -m apps.demo --help."""

import argparse
import os
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Gradio reads it when it is imported

import gradio as gr
from starlette.middleware import Middleware

from apps import catalogue, ports
from apps.api.workers import Workers
from apps.demo import page
from apps.demo.allowlist import RouteAllowlist
from digits.core import errors
from digits.serving.predictor import Predictor

HOST = "127.0.0.1"
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])  # fonts that need no network


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m apps.demo", description=__doc__)
    parser.add_argument("--port", type=ports.number, default=7860, help="default: %(default)s")
    parser.add_argument("--allow", action="store_true", help="run models even if formats.json lists other files")
    arguments = parser.parse_args()
    ports.check(HOST, arguments.port)
    # Without a model, or with a damaged one: an error that says what to do.
    Predictor(*catalogue.chosen(None), checked=not arguments.allow)
    workers = Workers()
    demo = page.build(catalogue.catalogue(), workers, checked=not arguments.allow)
    demo.queue(default_concurrency_limit=4)
    demo.launch(
        server_name=HOST,
        server_port=arguments.port,
        share=False,
        quiet=True,
        theme=THEME,
        css=(Path(page.__file__).with_name("page.css")).read_text(encoding="utf-8"),
        footer_links=[],
        app_kwargs={"middleware": [Middleware(RouteAllowlist)], "lifespan": workers.lifespan},
        ssr_mode=False,
        run_history=False,
        prevent_thread_lock=True,
    )
    print(f"draw on http://{HOST}:{arguments.port}", flush=True)
    demo.block_thread()


if __name__ == "__main__":
    errors.run(main)
