import json

import pytest
import structlog

from hub.log import configure_log


@pytest.fixture(autouse=True)
def _restore_log() -> object:
    yield
    structlog.reset_defaults()


def test_secrets_and_speech_never_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("info", json=True)
    details = {"password": "hunter2", "port": 1}
    structlog.get_logger().info("heard", text="i am home", access_token="t0k", mqtt=details)
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert out == ""
    assert (line["text"], line["access_token"], line["mqtt"]) == (
        "[hidden]",
        "[hidden]",
        {"password": "[hidden]", "port": 1},
    )
    assert details["password"] == "hunter2"


def test_less_serious_messages_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("warning", json=False)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    err = capsys.readouterr().err
    assert "quiet" not in err
    assert "loud" in err
