"""A small world made by arithmetic: a street, a passage and a square with people, and seven kinds of anomaly.

Needs no download and no licence, and its labels and masks are exact. It is what the demo and the tests run on.
"""

from __future__ import annotations

from oddframe.data.synthetic.plan import KNOWN, UNKNOWN
from oddframe.data.synthetic.write import VERSION, generate

__all__ = ["KNOWN", "UNKNOWN", "VERSION", "generate"]
