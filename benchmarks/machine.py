"""Describes the machine and the versions of a measurement."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu")  # one of the latter two is installed


def describe() -> dict[str, Any]:
    """Returns processor, its vector instructions, cores, and the versions of Python and of what computes."""
    flags: dict[str, str] = {}
    if (info := Path("/proc/cpuinfo")).exists():
        lines = [line.partition(":") for line in info.read_text().splitlines()]
        flags = {name.strip(): value.strip() for name, _, value in lines}
    installed = {name: version for name in PACKAGES if (version := _version(name))}
    return {
        "processor": flags.get("model name") or platform.processor() or platform.machine(),
        "instructions": sorted(flag for flag in flags.get("flags", "").split() if flag.startswith("avx")),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **installed,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
