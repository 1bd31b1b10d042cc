"""Addresses: what is opened, and that nobody sees a password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddframe.cameras.address import Address
from oddframe.errors import AddressError


@pytest.mark.parametrize(
    ("typed", "password", "host", "path"),
    [
        ("rtsp://u:p@ss@cam/live", "p@ss", "cam", "/live"),
        ("rtsp://u:a:b/c#d%e@cam:8554/live", "a:b/c#d%e", "cam", "/live"),
        ("rtsp://u:@:/#%@cam/", "@:/#%", "cam", "/"),
        ("rtsp://u:p%40ss@cam", "p@ss", "cam", ""),
        ("rtsps://u:pw1@[fe80::1]:322/x", "pw1", "fe80::1", "/x"),
        ("http://u:pw1@cam/video.cgi?mail=a@b.com", "pw1", "cam", "/video.cgi"),
        ("http://u:is?it@cam/video", "is?it", "cam", "/video"),
    ],
)
def test_passwords_may_be_written_as_they_are_or_encoded(typed, password, host, path):
    address = Address.parse(typed)

    assert (address.open_parts.password, address.open_parts.host) == (password, host)
    assert address.open_parts.url.partition("?")[0].endswith(path)
    assert password not in f"{address} {address!r} {address.masked} {address.open_parts!r}"


@given(st.text("abc@:/#%?&=.1 ü", min_size=1, max_size=12), st.sampled_from(["cam", "10.0.0.5:8554", "[::1]"]))
def test_every_password_is_found_when_it_is_encoded_and_is_masked(password, host):
    from urllib.parse import quote

    address = Address.parse(f"rtsp://admin:{quote(password, safe='')}@{host}/live/1")

    assert address.open_parts.password == password
    assert address.masked == f"rtsp://***@{host}/live/1"


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("0", "usb"), ("usb:2", "usb"), ("/dev/video1", "usb"), ("HTTPS://cam/x", "http"), ("rtsp://cam", "rtsp")],
)
def test_kinds_are_told_apart(typed, kind):
    assert Address.parse(typed).kind == kind


def test_files_and_folders_are_found_and_need_not_be_there_when_they_are_named(tmp_path):
    (tmp_path / "a:b.mp4").write_bytes(b"")

    assert Address.parse(str(tmp_path)).kind == "folder"
    assert Address.parse(str(tmp_path / "a:b.mp4")).kind == "file"
    assert Address.parse("folder:/not/there").open_parts.path.name == "there"
    assert Address.parse("file:-").open_parts.path.is_absolute()


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "eee",
            "concat:a|b",
            "ftp://cam/x",
            "rtsp://",
            "rtsp:///x",
            "rtsp://cam:99999/x",
            "rtsp://cam/\nx",
            "usb:-f",
        ),
        *("lavfi:testsrc", "subfile,,start,0,,:/etc/passwd", "tcp://cam", "999", "x" * 5000, "http://a b/"),
    ],
)
def test_whatever_else_is_refused(typed):
    with pytest.raises(AddressError):
        Address.parse(typed)


def test_an_address_that_can_be_read_in_two_ways_is_refused_and_nobody_is_called():
    with pytest.raises(AddressError, match="two ways") as caught:
        Address.parse("rtsp://admin:12345/6@cam/live")

    assert "12345" not in str(caught.value)


def test_options_of_libav_in_an_address_go_nowhere():
    address = Address.parse("rtsp://cam/live?udp&channel=1&multicast&tcp")

    assert address.open_parts.url == "rtsp://cam/live?channel=1"


def test_secrets_in_queries_and_paths_are_masked():
    assert (
        Address.parse("http://cam/v?channel=1&token=s3cret&pwd=x").masked == "http://cam/v?channel=1&token=***&pwd=***"
    )
    assert Address.parse("rtsp://cam/user=admin&password=tlJw&channel=1").masked == (
        "rtsp://cam/user=***&password=***&channel=1"
    )


def test_what_others_say_of_an_address_is_scrubbed():
    address = Address.parse("rtsp://u:p%40ss@cam/live?token=s3cret")
    said = (
        "rtsp://u:p%40ss@cam/live?token=s3cret failed; p@ss p%40ss u:p@ss s3cret; Authorization: Basic dTpwQHNz; "
        f"{address.open_parts.url}"
    )

    scrubbed = address.scrub(said)

    assert "failed" in scrubbed
    assert not any(secret in scrubbed for secret in ("p@ss", "p%40ss", "s3cret", "dTpwQHNz"))
    assert Address.parse("rtsp://u:ab@cam").scrub("about ab: ab") == "about ***: ***"
