"""A real browser on the pages of a real server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .conftest import PASSWORD

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PATIENCE_S = 300.0
"""Of a machine that has much else to do."""


class Browser:
    """Somebody in front of a screen.

    Args:
        chromium: a browser. url: of the console. width: of the screen, in pixels.
    """

    def __init__(self, chromium: Chrome, url: str, width: int = 1280) -> None:
        self.chromium, self.url = chromium, url
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        chromium.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
        chromium.get(f"{url}/login")
        chromium.delete_all_cookies()
        chromium.execute_script("localStorage.clear()")
        chromium.get_log("browser")

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Type name and password."""
        self.see("/login")
        self.log_in_here(name, password)

    def log_in_here(self, name: str, password: str = PASSWORD) -> None:
        """Type name and password on the page for it."""
        self.one("[name=name]").send_keys(name)
        self.one("[name=password]").send_keys(password)
        self.one("form button").click()
        self.until(lambda: "/login" not in self.chromium.current_url)

    def see(self, path: str) -> None:
        """Open a page."""
        self.chromium.get(self.url + path)

    def one(self, selector: str) -> Any:
        """The first element that a selector finds, once it is there."""
        return self.until(lambda: next(iter(self.all(selector)), None))

    def all(self, selector: str) -> list[Any]:
        """All elements that a selector finds."""
        found: list[Any] = self.chromium.find_elements("css selector", selector)
        return found

    def text(self, selector: str = "main") -> str:
        """What somebody reads there; one moment's, as pages change."""
        found = self.run(f"return document.querySelector({selector!r})?.innerText ?? ''")
        return str(found)

    def run(self, script: str, *values: object) -> Any:
        """Run a script in the page."""
        return self.chromium.execute_script(script, *values)

    def press(self, keys: str) -> None:
        """Press keys, wherever the page has its focus."""
        for key in keys:
            self.chromium.switch_to.active_element.send_keys(key)

    def until(self, seen: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Wait until something is true, and return it."""
        until_s = time.monotonic() + patience_s
        while not (found := seen()):
            if time.monotonic() > until_s:
                raise AssertionError(f"not within {patience_s:g} s; the page says:\n{self.text('body')}")
            time.sleep(0.1)
        return found

    def reads(self, words: str, selector: str = "main") -> None:
        """Wait until somebody reads these words."""
        self.until(lambda: words in self.text(selector))

    def asked(self) -> Any:
        """What the browser asks somebody; None as long as it asks nothing."""
        from selenium.common.exceptions import NoAlertPresentException

        try:
            return self.chromium.switch_to.alert
        except NoAlertPresentException:
            return None

    @property
    def errors(self) -> list[str]:
        """What the browser complains of."""
        return [entry["message"] for entry in self.chromium.get_log("browser") if entry["level"] == "SEVERE"]


def elsewhere(chromium: Chrome) -> None:
    """The browser is in New Zealand, and the site is not, until the next `Browser`."""
    chromium.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Auckland"})
