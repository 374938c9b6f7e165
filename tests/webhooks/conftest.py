"""Node.js with the packages that docs/integrate.md installs. Where that cannot be had, the tests
are skipped, loudly; with REQUIRE_BROWSER set they fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "node"
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
INSTALL_SECONDS = 100


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose scripts find the packages."""
    folder = tmp_path_factory.mktemp("node")
    trouble = _install(folder)
    if trouble and os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"no Node.js: {trouble}")
    if trouble:
        pytest.skip(f"no Node.js: {trouble}")
    return folder


def _install(folder: Path) -> str:
    """What is in its way; nothing where it is done."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node 20 or newer and npm are not installed"
    for file in PACKAGES.iterdir():
        shutil.copy(file, folder)
    try:
        ran = subprocess.run(
            INSTALL, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"npm ci took more than {INSTALL_SECONDS} seconds"
    return f"npm ci failed: {ran.stderr[-300:]}" if ran.returncode else ""
