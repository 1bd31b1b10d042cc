"""Why an address does not open, in a sentence that its owner can do something about.

libav says "Invalid data found" of a web page, and "Input/output error" of a host that nobody knows. So the name is
looked up beforehand, and after a failure it is looked once more at what answers. All of it takes a few seconds at most.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import queue
import re
import socket
import ssl
import threading
from dataclasses import dataclass

import av.error

from oddframe.cameras.address import Address
from oddframe.cameras.state import Cause
from oddframe.errors import CameraError
from oddframe.video._libav import words

_LOOKED_UP_S = 3.0
_CONNECTED_S = 1.5
_ANSWERED_S = 2.0
_READ_BYTES = 2048

_UNREACHABLE = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)


def look_up(address: Address) -> None:
    """Look the host's name up. libav would too, but there nothing can end it.

    Raises:
        CameraError: nobody knows it.
    """
    parts = address.open_parts
    answers: queue.SimpleQueue[OSError | UnicodeError | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            socket.getaddrinfo(parts.host, parts.port, type=socket.SOCK_STREAM)
            answers.put(None)
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="looking up a host", daemon=True).start()
    try:
        failed = answers.get(timeout=_LOOKED_UP_S)
    except queue.Empty:
        raise CameraError(
            "the camera's host name is not found: no name server answers",
            cause=Cause.UNKNOWN_HOST,
            seen=parts.host,
            hint="write the camera's number instead, as 192.168.1.20",
        ) from None
    if failed is not None:
        raise CameraError(
            "nobody knows a host of this name",
            cause=Cause.UNKNOWN_HOST,
            seen=parts.host,
            hint="look for a typing error, or write the camera's number instead, as 192.168.1.20",
        )


def explained(address: Address, failed: CameraError, *, verified: bool) -> CameraError:
    """A failure to open an address in words that help; where nothing more is known, as it is.

    Args:
        verified: its certificate had to be one that somebody vouches for.
    """
    error = failed.__cause__
    if Cause(failed.cause) is not Cause.OTHER or error is None:
        return failed
    if address.kind == "usb":
        return _of_usb(address, error)
    if address.kind == "file":
        return _of_file(address, error)
    if verified and _is_tls(address) and _is_vouched_for_by_nobody(address):
        return CameraError(
            "nobody vouches for this camera's certificate",
            cause=Cause.CERTIFICATE,
            seen=address.open_parts.host,
            hint="cameras sign their own: set verify_certificate to false, or give the camera one that is known",
        )
    return _of_url(address, error) or failed


def _of_url(address: Address, error: BaseException) -> CameraError | None:
    parts = address.open_parts
    place = f"{parts.host}:{parts.port}"
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return _no_login(parts.user is not None)
    if isinstance(error, av.error.HTTPNotFoundError):
        return CameraError(
            "the camera answers, but it has nothing under this path",
            cause=Cause.NOT_FOUND,
            hint="look up the path of its stream in the camera's manual or pages",
        )
    if isinstance(error, ConnectionRefusedError | av.error.ConnectionRefusedError):
        return CameraError(
            "nothing listens at this port",
            cause=Cause.REFUSED,
            seen=place,
            hint="look for the right port, and whether the camera's stream is switched on",
        )
    if getattr(error, "errno", None) in _UNREACHABLE:
        return _unreachable(place)
    return _of_answer(address, place, isinstance(error, av.error.ExitError | av.error.TimeoutError))


def _of_answer(address: Address, place: str, silent: bool) -> CameraError | None:
    """Look at what answers."""
    answer = _answer(address)
    if answer.trouble is not None:
        refused = isinstance(answer.trouble, ConnectionRefusedError)
        if isinstance(answer.trouble, ssl.SSLError):
            return CameraError("the camera speaks no TLS at this port", cause=Cause.WRONG_SERVICE, seen=place)
        return None if refused else _unreachable(place)
    if silent or not answer.content:
        how = "sends nothing" if silent or not answer.closed else "closes them at once"
        return CameraError(
            f"the camera accepts connections, and {how}",
            cause=Cause.SILENT,
            seen=place,
            hint="it may be another kind of server, or the camera hangs: switch it off and on",
        )
    if address.kind == "rtsp":
        if re.match(rb"RTSP/\d\.\d 40[13] ", answer.content):
            return _no_login(address.open_parts.user is not None)
        return None if answer.content.startswith(b"RTSP/") else _wrong_service(place, answer.content)
    return _of_page(answer, place)


def _of_page(answer: _Answer, place: str) -> CameraError | None:
    head, _, body = answer.content.partition(b"\r\n\r\n")
    kind = head.lower()
    if not head.startswith(b"HTTP/"):
        return _wrong_service(place, answer.content)
    if b"content-type: text/html" in kind or body.lstrip()[:1] == b"<":
        return CameraError(
            "there is a web page at this address, and no video",
            cause=Cause.HTML,
            hint="look up the address of the stream in the camera's manual; a page in a browser has another one",
        )
    if b"content-type: image/" in kind:
        return CameraError("there is one picture at this address, and no stream", cause=Cause.NO_VIDEO)
    if body.startswith(b"#EXTM3U"):
        return CameraError(
            "there is a playlist at this address, which is not read",
            cause=Cause.NO_VIDEO,
            hint="take the camera's RTSP address",
        )
    return CameraError("what this address sends is no video", cause=Cause.NO_VIDEO)


@dataclass
class _Answer:
    """What came at an address: the first bytes, whether the other side closed, or why there is no connection."""

    content: bytes = b""
    closed: bool = False
    trouble: OSError | None = None


def _answer(address: Address) -> _Answer:
    parts, answer = address.open_parts, _Answer()
    try:
        plain = socket.create_connection((parts.host, parts.port), timeout=_CONNECTED_S)
    except OSError as error:
        return _Answer(trouble=error)
    with plain:
        plain.settimeout(_ANSWERED_S)
        try:
            connection = _wrapped(address, plain)
            connection.sendall(_request(address))
            while len(answer.content) < _READ_BYTES:
                more = connection.recv(_READ_BYTES)
                answer.content += more
                answer.closed = not more
                if not more or (address.kind == "rtsp" and b"\r\n" in answer.content):
                    break
        except ssl.SSLError as error:
            answer.trouble = error
        except ConnectionError:
            answer.closed = True
        except OSError:
            pass  # it says no more
    return answer


def _is_tls(address: Address) -> bool:
    return address.open_parts.url.startswith(("https:", "rtsps:"))


def _is_vouched_for_by_nobody(address: Address) -> bool:
    parts = address.open_parts
    try:
        with (
            socket.create_connection((parts.host, parts.port), timeout=_CONNECTED_S) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.host),
        ):
            return False
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False


def _wrapped(address: Address, plain: socket.socket) -> socket.socket:
    if not _is_tls(address):
        return plain
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=address.open_parts.host)


def _request(address: Address) -> bytes:
    parts = address.open_parts
    if address.kind == "rtsp":
        return b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    _, _, rest = parts.url.partition("://")
    slash = rest.find("/")
    path = rest[slash:] if slash >= 0 else "/"
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.host}", "Connection: close", "Accept: */*"]
    if parts.user is not None:
        both = f"{parts.user}:{parts.password or ''}".encode(errors="surrogateescape")
        lines.append(f"Authorization: Basic {base64.b64encode(both).decode()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii", "replace")


def _of_usb(address: Address, error: BaseException) -> CameraError:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return CameraError("there is no USB camera of this number", cause=Cause.NOT_FOUND, seen=address.masked)
    if number in (errno.EBUSY,):
        return CameraError("another program is using this USB camera", cause=Cause.REFUSED, seen=address.masked)
    if number in (errno.EACCES, errno.EPERM):
        return CameraError(
            "this USB camera may not be read",
            cause=Cause.LOGIN,
            seen=address.masked,
            hint="add the user to the group video",
        )
    return CameraError("this USB camera does not open", cause=Cause.OTHER, seen=words(error))


def _of_file(address: Address, error: BaseException) -> CameraError:
    path = address.open_parts.path
    if isinstance(error, FileNotFoundError | av.error.FileNotFoundError):
        return CameraError("there is no such file", cause=Cause.NOT_FOUND, path=path)
    if isinstance(error, PermissionError | av.error.PermissionError):
        return CameraError("this file may not be read", cause=Cause.LOGIN, path=path)
    return CameraError("this file does not open as video", cause=Cause.NO_VIDEO, path=path, seen=words(error))


def _no_login(tried: bool) -> CameraError:
    if not tried:
        return CameraError(
            "the camera asks for a user and a password",
            cause=Cause.LOGIN,
            hint="put them in front of the host: USER:PASSWORD@HOST",
        )
    return CameraError(
        "the camera refuses this user or password",
        cause=Cause.LOGIN,
        hint="look for a typing error, and whether the user may see the stream; too many attempts may lock it",
    )


def _unreachable(place: str) -> CameraError:
    return CameraError(
        "the camera does not answer",
        cause=Cause.UNREACHABLE,
        seen=place,
        hint="look whether it has power, is on the network, and whether this is its address",
    )


def _wrong_service(place: str, content: bytes) -> CameraError:
    with contextlib.suppress(UnicodeError):
        name = content[:24].split(b"\r\n")[0].decode("ascii")
        if name.isprintable():
            place = f"{place}, which begins with {name!r}"
    return CameraError(
        "another kind of server answers at this port",
        cause=Cause.WRONG_SERVICE,
        seen=place,
        hint="look for the port of the camera's stream; 554 is usual for RTSP",
    )
