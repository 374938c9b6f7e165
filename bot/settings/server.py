"""Addresses, the database, processes and connections."""

import re
import socket
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.settings.public_address import public_base_url
from bot.settings.types import Group, Integer, Unusable, Values, matching, setting


def _database_url(url: str) -> str:
    if url.startswith(("postgresql://", "postgres://")):
        _require_readable(url)
        return url
    if url == "sqlite:///":
        raise Unusable("it has no path: add the name of a file")
    if not url.startswith("sqlite:///"):
        raise Unusable("Textback does not support this kind of database")
    if url.removeprefix("sqlite:///").startswith(":memory:"):
        raise Unusable("an in-memory database would be a separate one in each process")
    if "?" in url:
        raise Unusable("the address of an SQLite file has no parameters")
    if url.endswith("/"):
        raise Unusable("it names a folder: add the name of a file")
    if url.startswith("sqlite:///~"):
        raise Unusable("~ is not expanded: write the whole path")
    return url


def _require_readable(url: str) -> None:
    """Refuses these characters in a user or password: the parser would end it there, take the rest
    for a host, and show it."""
    account, at, _ = url.partition("//")[2].rpartition("@")
    if re.search(r"\s|%(?![0-9A-Fa-f]{2})", url) or (at and re.search("[/@?#]", account)):
        raise Unusable("percent-encode blanks and the characters % / @ ? # of user and password")


def _host(host: str) -> str:
    try:
        if ":" in host:
            ip_address(host)
        elif re.fullmatch(r"[0-9.]+", host):
            socket.inet_aton(host)  # 0 and 127.1 too
    except (ValueError, OSError):
        raise Unusable("it is not an address; the port goes into PORT") from None
    return host


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", origin):
            raise Unusable(
                "an origin is a scheme, a host in lower case and perhaps a port, without a path; *"
                " is not accepted"
            )
    return tuple(_without_default_port(origin) for origin in origins)


def _without_default_port(origin: str) -> str:
    """As browsers send it."""
    scheme = origin.partition(":")[0]
    return origin.removesuffix(":443" if scheme == "https" else ":80")


Origins = Annotated[Values, AfterValidator(_origins)]
PublicBaseUrl = Annotated[str, AfterValidator(public_base_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class ServerSettings(Group):
    public_base_url: PublicBaseUrl = setting(
        "the address Twilio and callers see, such as https://verify.example.com"
    )
    allowed_origins: Origins = setting(
        "origins of web pages with commas between, such as https://app.example.com", default=()
    )
    database_url: DatabaseUrl = setting(
        "sqlite:/// and a path, such as sqlite:///instance/textback.db, or"
        " postgresql://user:password@host/name",
        default="sqlite:///instance/textback.db",
        repr=False,
    )
    dispatch: Literal["thread", "off"] = setting("thread or off", default="thread")
    connections: Annotated[Integer, Field(ge=10, le=100_000)] = setting(
        "10 to 100000", default=4000
    )
    connections_per_address: Annotated[Integer, Field(ge=0, le=100_000)] = setting(
        "0 to 100000; 0 for no bound of its own", default=200
    )
    database_connections: Annotated[Integer, Field(ge=2, le=1000)] = setting(
        "2 to 1000", default=24
    )
    web_concurrency: Annotated[Integer, Field(ge=1, le=64)] = setting("1 to 64", default=1)
    log_format: Literal["json", "text"] = setting("json or text", default="json")
    host: Annotated[str, matching(r"[0-9A-Za-z.:-]{1,253}"), AfterValidator(_host)] = setting(
        "an address of this machine, such as 127.0.0.1", default="0.0.0.0"
    )
    port: Annotated[Integer, Field(ge=1, le=65535)] = setting("1 to 65535", default=8000)

    @property
    def database_name(self) -> str:
        """The address without its password."""
        return re.sub(r"//[^@/]*@", "//", self.database_url.partition("?")[0])
