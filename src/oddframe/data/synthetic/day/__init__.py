"""A day in front of fixed cameras: hours of drawn video, by day, dusk and night, for judging alarms on."""

from __future__ import annotations

from oddframe.data.synthetic.day.make import Outlook, generate_day, outlook

__all__ = ["Outlook", "generate_day", "outlook"]
