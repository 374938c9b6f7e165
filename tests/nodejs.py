"""Node.js with packages of npm's. Where it cannot be had, tests are skipped, loudly; with
REQUIRE_BROWSER set they fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
INSTALL_SECONDS = 100


def installed(packages: Path, folder: Path) -> Path:
    """The folder, with a copy of what is in `packages` and all that its lock file names."""
    trouble = _install(packages, folder)
    if trouble and os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"no Node.js: {trouble}")
    if trouble:
        pytest.skip(f"no Node.js: {trouble}")
    return folder


def _install(packages: Path, folder: Path) -> str:
    """The error; empty if it ran."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node 20 or newer and npm are not installed"
    for file in packages.iterdir():
        shutil.copy(file, folder)
    try:
        ran = subprocess.run(
            INSTALL, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"npm ci took more than {INSTALL_SECONDS} seconds"
    return f"npm ci failed: {ran.stderr[-300:]}" if ran.returncode else ""
