"""Where the console listens, and what it trusts."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from oddframe.detectors.settings import Strict
from oddframe.errors import SettingsError

PORT = 8470


class ConsoleSettings(Strict):
    """Where the console listens.

    >>> ConsoleSettings().url
    'http://127.0.0.1:8470'
    """

    host: str = Field(default="127.0.0.1", min_length=1, description="address that it listens on")
    port: int = Field(default=PORT, ge=0, le=65535, description="port that it listens on; 0 for any that is free")
    tls_cert: Path | None = Field(default=None, description="file of the TLS certificate and its chain, PEM")
    tls_key: Path | None = Field(default=None, description="file of the certificate's key, PEM, without a password")
    behind_proxy: bool = Field(
        default=False, description="a proxy in front of it speaks TLS, and says where requests come from"
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("a TLS certificate and its key belong together: name both")
        if self.tls_cert is not None and self.behind_proxy:
            raise ValueError("either the console speaks TLS, or a proxy does: name one of both")
        if not self.is_loopback and not self.secure:
            raise ValueError(
                f"on {self.host} others could read passwords: name --tls-cert and --tls-key, or --behind-proxy where "
                "a proxy speaks TLS"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer reaches it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by HTTPS alone."""
        return self.tls_cert is not None or self.behind_proxy

    @property
    def url(self) -> str:
        """Its address for a browser; where it listens on all addresses of this computer, by the computer's name."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert is not None else 'http'}://{host}:{self.port}"

    @classmethod
    def of(cls, **given: object) -> Self:
        """The settings of what was given.

        Raises:
            SettingsError: they do not fit.
        """
        from pydantic import ValidationError

        try:
            return cls.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = " ".join(str(part) for part in first["loc"])
            words = str(first["msg"]).removeprefix("Value error, ")
            raise SettingsError("the console cannot be opened like this", seen=where or None, wanted=words) from None
