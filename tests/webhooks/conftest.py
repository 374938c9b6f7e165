"""Node.js with the packages that docs/integrate.md installs."""

from pathlib import Path

import pytest

from tests.nodejs import installed

PACKAGES = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose scripts find the packages."""
    return installed(PACKAGES, tmp_path_factory.mktemp("node"))
