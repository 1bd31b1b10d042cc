"""Addresses of cameras: what may be opened, and what people may see of it.

An address is text that somebody typed, and it holds a password. So it is taken apart once, by rules of its own, and
only the parts go on: nothing of it is ever a command, an option of libav, or a name that libav reads as a protocol. All
that is shown, `str` and `repr` among it, is masked.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from oddframe.errors import AddressError, nearest

Kind = Literal["rtsp", "http", "usb", "folder", "file"]

MASK = "***"

_URL_KINDS: dict[str, Kind] = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_WANTED = (
    "rtsp://, rtsps://, http:// or https:// and a host; the number of a USB camera (0); a folder of pictures that "
    "grows; or a video file"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?")
_HOST = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%25[\w.-]+)?\]|[\w](?:[\w.-]*[\w.])?)(?::(?P<port>\d{1,5}))?(?P<rest>[/?#].*)?", re.S
)
_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_MOST_LETTERS = 2048
_MOST_USB = 255

_TRANSPORT_WORDS = frozenset({"tcp", "udp", "multicast", "http"})
"""Parts of an RTSP query that libav takes for its own options."""

_HARMLESS = frozenset({"channel", "subtype", "stream", "streamtype", "resolution", "fps", "camera", "profile", "cam"})
"""Names in a query whose values are shown. All others may be secrets."""
_SECRET_IN_PATH = re.compile(r"(?i)((?:pass|pwd|pw|user|login|token|key|secret|auth|sig|sid|session)[^=&/?]*=)[^&/?]+")
_SHORTEST_SCRUBBED = 4


@dataclass(frozen=True, repr=False)
class OpenParts:
    """An address taken apart.

    Attributes:
        url: for libav, with the password percent-encoded; "" where there is none (usb, folder, file).
        host, port: of a URL. user, password: decoded; None where there are none.
        path: of a folder or file; None else.
        device: of a USB camera; None else.
    """

    url: str = ""
    host: str = ""
    port: int = 0
    user: str | None = None
    password: str | None = None
    path: Path | None = None
    device: int | None = None

    def __repr__(self) -> str:
        return "OpenParts(***)"


@dataclass(frozen=True, repr=False)
class Address:
    """The address of a camera; made by `parse`.

    Attributes:
        kind: what it leads to.
        masked: the address as people may see it, without user, password and other secrets.
        open_parts: what is opened; never to be shown.
    """

    kind: Kind
    masked: str
    open_parts: OpenParts
    _typed: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take an address apart.

        Passwords may be written as they are or percent-encoded: a URL's password ends at the last "@" that a host
        follows. A "@" in the path after a password is written as %40.

        Args:
            text: a URL, the number of a USB camera, or the path of a file or folder. `file:` and `folder:` in front of
                a path say what it will be where nothing is there yet.

        Raises:
            AddressError: it is none, or of a kind that is not opened.

        >>> Address.parse("rtsp://admin:p@ss/w#rd@10.0.0.5/live?channel=1&token=s3cret").masked
        'rtsp://***@10.0.0.5/live?channel=1&token=***'
        """
        typed = text.strip()
        if not typed or len(typed) > _MOST_LETTERS or any(ord(letter) < 32 or ord(letter) == 127 for letter in typed):
            raise AddressError(
                "this is no address of a camera",
                seen="nothing" if not typed else "control characters, or too many letters",
                wanted=_WANTED,
            )
        if re.fullmatch(r"\d{1,3}", typed) or re.fullmatch(r"/dev/video\d{1,3}", typed):
            return _usb(typed)
        scheme = _SCHEME.match(typed)
        word = scheme[1].lower() if scheme else ""
        if scheme and word == "usb":
            return _usb(typed[scheme.end() :])
        if scheme and word in ("file", "folder"):
            return _named(Path(typed[scheme.end() :]), word, typed)
        if scheme and word in _URL_KINDS and scheme[2]:
            return _url(word, typed[scheme.end() :], typed)
        if scheme and (scheme[2] or len(word) > 1) and not Path(typed).exists():
            raise AddressError(
                "addresses of this kind are not opened",
                seen=f"{word}:",
                wanted=_WANTED,
                hint=nearest(word, _URL_KINDS),
            )
        return _found(typed)

    def reveal(self) -> str:
        """The address as it was typed, with its password: to keep it encrypted, and to hand it to a reader's pipe."""
        return self._typed

    def scrub(self, text: str) -> str:
        """A text without this address's secrets, however they are written in it: for what others say of it."""
        parts = self.open_parts
        if not parts.url:
            return text
        for whole in (self._typed, parts.url):
            text = text.replace(whole, self.masked)
        secrets = {typed[1]} if (typed := re.search("://(.*)@", self._typed, re.S)) else set()
        secrets |= {value for value in _values(parts.url) if value not in self.masked}
        if parts.password:
            both = f"{parts.user or ''}:{parts.password}"
            for one in (both, parts.password):
                secrets |= {one, quote(one, safe=""), quote(one, safe=":"), quote(one)}
            secrets.add(base64.b64encode(both.encode(errors="surrogateescape")).decode().rstrip("="))
        if typed:
            secrets.add(typed[1].partition(":")[2])
        for one in sorted(filter(None, secrets), key=len, reverse=True):
            # a password of three letters stands in many words; on its own it is one
            text = text.replace(one, MASK) if len(one) >= _SHORTEST_SCRUBBED else _alone(one).sub(MASK, text)
        return text

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Address({self.masked!r})"


def _values(url: str) -> list[str]:
    """What stands behind a "=" in a URL."""
    return [part.partition("=")[2] for part in re.split("[&/?]", url)]


def _alone(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")


def _usb(number: str) -> Address:
    digits = number.removeprefix("/dev/video")
    if not digits.isdecimal() or int(digits) > _MOST_USB:
        raise AddressError("this is no number of a USB camera", seen=repr(number), wanted=f"0 to {_MOST_USB}")
    device = int(digits)
    return Address("usb", f"usb:{device}", OpenParts(device=device), f"usb:{device}")


def _named(path: Path, kind: str, typed: str) -> Address:
    if not path.name:
        raise AddressError("this address names no file or folder", seen=repr(typed), wanted=f"{kind}:PATH")
    path = path.absolute()
    return Address("file" if kind == "file" else "folder", str(path), OpenParts(path=path), typed)


def _found(typed: str) -> Address:
    path = Path(typed).expanduser()
    if path.is_dir():
        return _named(path, "folder", f"folder:{path.absolute()}")
    if path.is_file():
        return _named(path, "file", f"file:{path.absolute()}")
    # What was typed is not shown: it may be a password in a wrong place.
    raise AddressError(
        "this is no address of a camera, and there is no file or folder of this name",
        seen=_looks(typed),
        wanted=_WANTED,
    )


def _looks(typed: str) -> str:
    return repr(typed) if re.fullmatch(r"[\w./\\ -]{1,200}", typed) else "text with signs that may be a password"


def _url(scheme: str, rest: str, typed: str) -> Address:
    userinfo, match = _split(scheme, rest)
    host, tail = match["host"], match["rest"] or ""
    port = int(match["port"]) if match["port"] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise AddressError("an address has a port that is none", seen=port, wanted="1 to 65535")
    tail, _, _ = tail.partition("#")
    path, mark, query = tail.partition("?")
    if _URL_KINDS[scheme] == "rtsp":
        query = "&".join(part for part in query.split("&") if part.lower() not in _TRANSPORT_WORDS)
    mark = mark if query else ""
    user, password, written = None, None, ""
    if userinfo is not None:
        name, colon, secret = userinfo.partition(":")
        user, password = _decoded(name), _decoded(secret) if colon else None
        written = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "") + "@"
    place = host if match["port"] is None else f"{host}:{port}"
    safe_path, safe_query = _encoded(path), _encoded(query)
    shown_path = _SECRET_IN_PATH.sub(lambda found: found[1] + MASK, path)
    masked = f"{scheme}://{'' if userinfo is None else f'{MASK}@'}{place}{shown_path}{mark}{_masked_query(query)}"
    parts = OpenParts(
        url=f"{scheme}://{written}{place}{safe_path}{mark}{safe_query}",
        host=host.strip("[]"),
        port=port,
        user=user,
        password=password,
    )
    return Address(_URL_KINDS[scheme], masked, parts, typed)


def _split(scheme: str, rest: str) -> tuple[str | None, re.Match[str]]:
    """Where user and password end, and the host begins."""
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    readings = [
        (rest[:at], match)
        for at in (one.start() for one in re.finditer("@", rest))
        if (match := _HOST.fullmatch(rest[at + 1 :])) is not None
        if not set(rest[:at].partition(":")[0]) & set("/?#")  # no user's name holds these
        if ":" in rest[:at] or "@" in authority
    ]
    plain = _HOST.fullmatch(rest)
    if plain is not None and "@" not in authority:
        if readings and plain["port"]:
            raise AddressError(
                f"this {scheme} address can be read in two ways",
                seen="a port and then a @, or a password with a / in it",
                wanted="a password with / written as %2F, or a path with @ written as %40",
            )
        return None, plain
    # A "?" before the "@" is rather a query than a password, where both can be.
    likely = [one for one in readings if "?" not in one[0]] or readings
    if not likely:
        raise AddressError(
            f"this {scheme} address names no host",
            wanted=f"{scheme}://HOST/PATH, or {scheme}://USER:PASSWORD@HOST:PORT/PATH",
            hint="in user and password, write @ as %40, / as %2F, # as %23 and % as %25",
        )
    return likely[-1]


def _decoded(text: str) -> str:
    """Percent-encoded or not: a "%" that begins no code stands for itself."""
    return unquote(_ESCAPE.sub("%25", text), errors="surrogateescape")


def _encoded(text: str) -> str:
    return _ESCAPE.sub("%25", quote(text, safe="%/:@!$&'()*+,;=~-._[]?"))


def _masked_query(query: str) -> str:
    parts = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        harmless = name.lower() in _HARMLESS and re.fullmatch(r"[\w.-]{0,16}", value)
        parts.append(part if not part or harmless else f"{name if equals else ''}{equals}{MASK}")
    return "&".join(parts)
