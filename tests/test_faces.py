"""A face consists only of its folder and its lines in app.py."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.architecture import BOT, ROOT

# A request to each face, sent without a key.
_FACES = {
    "console": ("GET", "/console/"),
    "durable": ("POST", "/orchestrators/E4"),
    "verify": ("GET", "/v2/Services"),
}


def script_without(face: str) -> str:
    """Starts Textback and looks for whatever leads to the face that is gone."""
    script = f"""
        import json, re
        from tests.harness import environment
        from bot import service, settings
        from bot.app import create_app

        app = create_app(settings.read(environment(DATABASE_URL="sqlite:///x.db")))
        client = app.test_client()
        assert client.get("/healthz").status_code == 200
        described = client.get("/openapi.json").json
        for ref in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)):
            assert ref in described["components"]["schemas"], ref
        assert {{"header", "query"}} <= described["components"]["securitySchemes"].keys()
        if {face!r} != "durable":
            key = {{"x-functions-key": "a-function-key-for-tests"}}
            start = "/orchestrators/E4_SmsPhoneVerification"
            assert client.post(start, json="+14255550123", headers=key).status_code == 202
        for link in re.findall('href="([^"]+)"', client.get("/").text):
            assert client.get(link).status_code != 404, link
        refused = client.get("/metrics")
        assert refused.status_code == 401
        assert refused.json["code"] == "unauthorized"
        for name, (method, path) in {_FACES!r}.items():
            status = client.open(path, method=method).status_code
            assert (status == 404) == (name == {face!r}), (path, status)
        service.of(app).store.close()
    """
    return textwrap.dedent(script)


@pytest.mark.parametrize("face", _FACES)
def test_without_a_face_everything_else_works(tmp_path: Path, face: str) -> None:
    shutil.copytree(BOT, tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "schema.sql", tmp_path)
    shutil.rmtree(tmp_path / "bot" / "faces" / face)
    app = tmp_path / "bot" / "app.py"
    text = app.read_text().replace("durable.DurableShape()", "error_handlers.PlainShape()")
    text = re.sub(rf"(from bot.faces import .*)\b{face}(, |$)", r"\1", text, flags=re.MULTILINE)
    text = re.sub(rf"^.*\b{face}\.(blueprint|part|links)\(.*\n", "", text, flags=re.MULTILINE)
    app.write_text(re.sub(r"(from bot.faces import .*), $", r"\1", text, flags=re.MULTILINE))
    lines = script_without(face)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "simulator").symlink_to(ROOT / "simulator")
    ran = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
