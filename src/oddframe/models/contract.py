"""Whether a detector keeps its contract (`models/detector.py`): what it breaks is said where it breaks it.

Whoever writes a detector finds out here, and not from a figure that is wrong without a word. The checks look at names
and shapes, and once over the numbers that come out; beside a network's own work that is nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, get_args

import torch
from torch import Tensor, nn

from oddframe.detectors import DetectorSettings
from oddframe.errors import DetectorError
from oddframe.models.detector import Adam, Detector, Objective, ParameterGroup, RMSProp, Role, Window
from oddframe.nn.evidence import Evidence


def broken(detector: nn.Module | type, problem: str, *, seen: object, wanted: object) -> DetectorError:
    """The error of a detector that breaks the contract; it names its class and where that is."""
    kind = detector if isinstance(detector, type) else type(detector)
    return DetectorError(
        f"detector {kind.__name__} breaks its contract: {problem}",
        path=f"{kind.__module__}:{kind.__qualname__}",
        seen=seen,
        wanted=wanted,
    )


def check_class(name: str, kind: Any) -> type[Detector]:
    """The class of a detector, before one is built.

    Raises:
        DetectorError: it is no `Detector`, or does not say how to judge.
    """
    if not (isinstance(kind, type) and issubclass(kind, Detector)):
        raise DetectorError(
            f"the class of detector '{name}' is no detector",
            seen=repr(kind),
            wanted="a class derived from oddframe.models.detector.Detector",
        )
    if kind.__abstractmethods__:
        raise broken(kind, "it cannot judge", seen="no method forward", wanted="forward(clip) -> Evidence")
    return kind


def check_built(detector: Detector, settings: DetectorSettings) -> None:
    """What must be known of a detector once it is built.

    Raises:
        DetectorError: its settings, window, roles or parameter groups are not as the contract wants them.
    """
    own = getattr(detector, "settings", None)
    if own is not settings:
        raise broken(
            detector,
            "it does not keep its settings",
            seen="no attribute settings" if own is None else f"settings {own!r}",
            wanted="self.settings = settings in __init__",
        )
    window = detector.window
    if not isinstance(window, Window) or window.before < 1 or window.after < 0:
        raise broken(
            detector,
            "it has no proper window",
            seen=window,
            wanted="Window(before, after), with 1 frame or more before the judged one",
        )
    known = get_args(Role)
    if "normal" not in detector.roles or not {*detector.roles} <= {*known}:
        raise broken(detector, "it has no such roles", seen=detector.roles, wanted=f"normal, and others of {known}")
    _check_groups(detector, detector.parameter_groups())


def _check_groups(detector: Detector, groups: Mapping[str, ParameterGroup]) -> None:
    saved = {id(parameter) for parameter in detector.parameters()}
    for name, group in groups.items():
        if not isinstance(group, ParameterGroup) or not isinstance(group.parameters, list) or not group.parameters:
            raise broken(
                detector,
                f"parameter group '{name}' is no group of parameters",
                seen=repr(group),
                wanted="ParameterGroup(list(self.parameters())), with a list that is not empty",
            )
        if not isinstance(group.optimizer, Adam | RMSProp):
            raise broken(
                detector,
                f"parameter group '{name}' has no such optimizer",
                seen=repr(group.optimizer),
                wanted="Adam(betas=(0.9, 0.999)) or RMSProp(decay=0.9), of oddframe.models.detector",
            )
        if strange := sum(id(parameter) not in saved for parameter in group.parameters):
            raise broken(
                detector,
                f"parameter group '{name}' has parameters that would not be saved",
                seen=f"{strange} of {len(group.parameters)} are not among self.parameters()",
                wanted="parameters and modules as attributes, lists of them in nn.ParameterList or nn.ModuleList",
            )


def check_objective(detector: Detector, objective: Objective, groups: Collection[str]) -> None:
    """An objective, before its gradient is taken.

    Raises:
        DetectorError: it is of no known group, or its terms are not weighted numbers that lead to parameters.
    """
    if not isinstance(objective, Objective):
        raise broken(
            detector, "objectives() yields something else", seen=type(objective).__name__, wanted="Objective(...)"
        )
    if objective.group not in groups:
        raise broken(
            detector,
            "an objective is for a group that there is not",
            seen=f"'{objective.group}'",
            wanted=f"one of parameter_groups(): {', '.join(groups)}",
        )
    terms = objective.terms
    if not terms or not {*terms} <= {*objective.weights}:
        raise broken(
            detector,
            f"the terms of the objective for '{objective.group}' lack weights",
            seen=f"terms {sorted(terms)}, weights {sorted(objective.weights)}",
            wanted="at least one term, and a weight for each",
        )
    for name, term in terms.items():
        if not isinstance(term, Tensor) or term.ndim:
            raise broken(
                detector,
                f"the term '{name}' is no single number",
                seen=f"a tensor of shape {tuple(term.shape)}" if isinstance(term, Tensor) else type(term).__name__,
                wanted="a tensor without dimensions, as .mean() gives it",
            )
    if not any(term.requires_grad for term in terms.values()):
        raise broken(
            detector,
            f"no term of the objective for '{objective.group}' leads to a parameter",
            seen="terms without gradient",
            wanted="terms made from the detector's parameters, without detach() or no_grad()",
        )


_ROUNDING = 1e-5
"""A distance that is taken as 2 - 2 cos may come out so far below 0."""


def check_evidence(detector: Detector, evidence: Evidence, clips: Tensor) -> None:
    """Evidence on clips (B, T, C, H, W): what every number of the detector is made of.

    Raises:
        DetectorError: other shapes than the contract's, a distance that was not promised or a promised one that is
            missing, or values that are no squares.
    """
    if not isinstance(evidence, Evidence):
        raise broken(detector, "forward() returns something else", seen=type(evidence).__name__, wanted="Evidence(...)")
    count, _, channels, height, width = clips.shape
    for name, tensor, wanted in (
        ("error", evidence.error, (count, height, width)),
        ("predicted", evidence.predicted, (count, channels, height, width)),
    ):
        if not isinstance(tensor, Tensor) or tensor.shape != wanted:
            raise broken(detector, f"Evidence.{name} has another shape", seen=_shape(tensor), wanted=wanted)
    distance = evidence.distance
    if (distance is not None) != detector.has_distance:
        raise broken(
            detector,
            "Evidence.distance is not as has_distance says",
            seen=f"has_distance = {detector.has_distance}, distance {_shape(distance)}",
            wanted="a distance where has_distance is True, None where it is False",
        )
    if distance is not None and (distance.ndim != 3 or len(distance) != count or not distance.numel()):
        raise broken(detector, "Evidence.distance has another shape", seen=_shape(distance), wanted=f"({count}, h, w)")
    _check_squares(detector, "error", evidence.error)
    if distance is not None:
        _check_squares(detector, "distance", distance)


def _check_squares(detector: Detector, name: str, values: Tensor) -> None:
    low, high = (float(value) for value in torch.aminmax(values.float()))
    if not (low >= -_ROUNDING and high < float("inf")):  # NaN is on no side of anything
        raise broken(
            detector,
            f"Evidence.{name} is not made of squares",
            seen=f"{int((~values.isfinite()).sum())} of {values.numel()} not finite, lowest {low:g}, highest {high:g}",
            wanted="finite numbers from 0 up",
        )


def _shape(tensor: object) -> object:
    return tuple(tensor.shape) if isinstance(tensor, Tensor) else tensor if tensor is None else type(tensor).__name__
