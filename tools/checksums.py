"""Checksums as DVC's locks and its cache have them."""

import hashlib
import json
from pathlib import Path

FOLDER = ".dir"  # the end of a folder's checksum; its object in the cache lists the files


def md5(path: Path) -> str:
    """Returns the checksum of a file, or of a folder with all that is in it."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    members = {member.relative_to(path).as_posix(): member for member in path.rglob("*") if member.is_file()}
    listed = [{"md5": md5(members[name]), "relpath": name} for name in sorted(members)]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + FOLDER
