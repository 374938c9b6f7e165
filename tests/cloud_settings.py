"""Settings for Twilio's cloud, all of them good, and what is said of changed ones."""

from bot import settings
from tests.harness import environment

TOKEN = "c41d7be09f2358a6d0e7941b8c5f36a2"
SID = "AC9f3b61e07d24c85af1603be9d7248c50"
KEY = "Jh2-nV8kQ0sYtW4zRb7mXc5p"


def cloud(**changed: str) -> dict[str, str]:
    """Settings for Twilio itself, all of them good."""
    return environment(
        **{
            "TWILIO_API_BASE_URL": "",
            "PUBLIC_BASE_URL": "https://verify.textback.dev",
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_PHONE_NUMBER": "+14252304110",
            **changed,
        }
    )


def faults(**changed: str) -> tuple[str, ...]:
    return settings.validate(cloud(**changed)).faults


def warnings(**changed: str) -> tuple[str, ...]:
    return settings.validate(cloud(**changed)).warnings
