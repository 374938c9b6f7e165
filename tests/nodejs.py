"""Node.js with npm packages. Without it tests are skipped with a notice; with REQUIRE_BROWSER set
they fail."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
INSTALL_SECONDS = 100
_INSTALLED = Path(sys.prefix) / "node"  # in the virtual environment, for the next run too


def installed(packages: Path, folder: Path) -> Path:
    """Returns the folder, filled with the files of `packages` and the modules of its lock file."""
    lock = (packages / "package-lock.json").read_bytes()
    place = _INSTALLED / hashlib.sha256(lock).hexdigest()[:16]
    trouble = "" if place.exists() else _install(packages, place)
    if trouble and os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"no Node.js: {trouble}")
    if trouble:
        pytest.skip(f"no Node.js: {trouble}")
    for file in packages.iterdir():
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(place / "node_modules")
    return folder


def _install(packages: Path, place: Path) -> str:
    """Returns the error, or "". `place` appears only when it is complete."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node 20 or newer and npm are not installed"
    _INSTALLED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_INSTALLED) as folder:
        begun = Path(folder) / "begun"
        shutil.copytree(packages, begun)
        try:
            ran = subprocess.run(
                INSTALL, cwd=begun, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            return f"npm ci took more than {INSTALL_SECONDS} seconds"
        if ran.returncode:
            return f"npm ci failed: {ran.stderr[-300:]}"
        if not place.exists():  # another process may have been quicker
            begun.rename(place)
        return ""
