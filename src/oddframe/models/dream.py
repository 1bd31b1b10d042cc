"""DREAM with either backbone, U-Net or ConvLSTM (Guo et al., arXiv 2104.14430, Sec. III and IV-B).

Two branches share an encoder. Each makes queries of its own, unit vectors on a grid over the picture, and has a memory
of items: the normality memory is updated by normal clips only, the abnormality memory by abnormal clips only. A
decoder predicts the next frame from queries and read items of both (in the order query N, read N, query A,
read A), and a shallow discriminator on each branch draws normal clips together, abnormal ones away.

Normal clips, the second normal clips and abnormal clips go through in separate passes, so batch norm sees one kind
at a time. Losses and reads of a step use the items from before it; items change after the step.

Beyond the paper, and off in its presets: `query_margin` (queries are taught at the places that are odd),
`compactness_beside`, `worst_share`, `patch` and `decoder=False`. Every choice is a field of
`DreamCommonSettings` or, for the U-Net alone, of `DreamSettings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from oddframe.detectors.dream import DreamCommonSettings, DreamConvLSTMSettings, DreamSettings
from oddframe.errors import SettingsError
from oddframe.models.detector import Batch, Clips, Detector, Objective, ParameterGroup, Role, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import losses
from oddframe.nn.backbone import Backbone
from oddframe.nn.convlstm import ConvLSTMNet
from oddframe.nn.discriminator import Discriminator
from oddframe.nn.evidence import Evidence
from oddframe.nn.memory import Memory, unit
from oddframe.nn.unet import UNet

NORMALITY, ABNORMALITY = "normality", "abnormality"


@dataclass(frozen=True)
class Lesson:
    """What clips of one role teach one branch.

    Attributes:
        feeds: their queries update its memory after the step (Eqs. 3-4).
        draws: they are drawn to its items and set apart from the second-nearest ones (Eqs. 7-8).
        pushes: the query margin pushes them away from its items.
    """

    feeds: bool = False
    draws: bool = False
    pushes: bool = False


def lessons(settings: DreamCommonSettings) -> dict[str, dict[Role, Lesson]]:
    """Which role teaches which branch what."""
    own = Lesson(feeds=True, draws=True)
    other = Lesson(pushes=settings.query_margin > 0)
    anchor = Lesson(draws=settings.abnormality_anchor, pushes=other.pushes)
    if settings.memory == "dual":
        return {
            NORMALITY: {"normal": own, "second": own, "abnormal": other},
            ABNORMALITY: {"normal": anchor, "second": other, "abnormal": own},
        }
    # One memory takes both kinds, but cannot keep what the query margin pushes away from it.
    return {NORMALITY: {"normal": own, "second": own, "abnormal": other if other.pushes else own}}


@dataclass
class Terms:
    """Loss terms of a step by name, "branch.term", each with its weight. What several roles give is added."""

    values: dict[str, Tensor] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, value: Tensor, weight: float) -> None:
        self.values[name] = self.values[name] + value if name in self.values else value
        self.weights[name] = weight


class Branch(nn.Module):
    """Head, memory and discriminator of one branch.

    Attributes:
        width_out: channels that it hands on: query and read item, or the query alone where there is no memory.
    """

    def __init__(self, settings: DreamCommonSettings, backbone: Backbone, generator: torch.Generator | None) -> None:
        super().__init__()
        channels = backbone.queries if settings.memory == "dual" else 2 * backbone.queries
        items = settings.items if settings.memory == "dual" else 2 * settings.items
        self.width_out = channels if settings.memory == "none" else 2 * channels
        self.head = backbone.head(channels)
        self.memory = (
            None
            if settings.memory == "none"
            else Memory(items, channels, update_weight=settings.update_weight, generator=generator)
        )
        self.discriminator = (
            Discriminator(self.width_out, backbone.features, settings.discriminator_norm)
            if settings.discriminator
            else None
        )

    def queries(self, features: Tensor) -> Tensor:
        """What the encoder gives → unit queries (B, C, h, w)."""
        return unit(self.head(features))

    def read(self, queries: Tensor) -> Tensor:
        """Unit queries → what the decoder and the discriminator see, (B, width_out, h, w)."""
        return queries if self.memory is None else self.memory.read(queries)


class Dream(Detector):
    """DREAM-UNet, DREAM-ConvLSTM, and their ablations (Table III).

    `memory=single` is one branch of twice the channels with twice the items, updated by clips of both kinds;
    `memory=none` is one branch whose unit queries go to the decoder as they are.

    Args:
        settings: their type tells the backbone.
        generator: where the first items are drawn from; torch's own without one. Weights come from torch's own.

    Raises:
        SettingsError: neither memory nor decoder, so that nothing would be left to judge with.
    """

    window = Window(4, 0)
    has_distance = True
    settings: DreamSettings | DreamConvLSTMSettings

    def __init__(
        self, settings: DreamSettings | DreamConvLSTMSettings, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if settings.memory == "none" and not settings.decoder:
            raise SettingsError(
                "a detector without memory and without decoder has nothing to judge with",
                seen="memory=none, decoder=false",
                wanted="memory=dual or memory=single, or decoder=true",
                hint="oddframe has `framediff` for frame differences alone",
            )
        self.settings = settings
        self.lessons = lessons(settings)
        self.has_distance = settings.memory != "none"
        backbone: Backbone = (
            UNet(self.window.before, settings.channels, settings.width, settings.patch)
            if isinstance(settings, DreamSettings)
            else ConvLSTMNet(settings.channels, settings.width)
        )
        self.encoder = backbone.encoder()
        self.normality = Branch(settings, backbone, generator)
        self.abnormality = Branch(settings, backbone, generator) if settings.memory == "dual" else None
        width_out = sum(branch.width_out for branch in self._branches().values())
        self.decoder = backbone.decoder(width_out) if settings.decoder else None

    def _branches(self) -> dict[str, Branch]:
        """In the order in which the decoder takes them."""
        both = {NORMALITY: self.normality, ABNORMALITY: self.abnormality}
        return {name: branch for name, branch in both.items() if branch is not None}

    # Judging ------------------------------------------------------------------------------------------------

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 5, C, H, W) in [-1, 1]; see `Detector.forward`.

        Without a decoder the judged frame is compared with the one before it.
        """
        before = self.window.before
        judged = clip[:, before]
        features, skips = self.encoder(clip[:, :before])
        queries = {NORMALITY: self.normality.queries(features)}
        memory = self.normality.memory
        distance = None if memory is None else memory.nearest(queries[NORMALITY])[0]
        if self.decoder is None:
            predicted = clip[:, before - 1]
        else:
            if self.abnormality is not None:
                queries[ABNORMALITY] = self.abnormality.queries(features)
            predicted = self._predict(self._read(queries), skips)
        return Evidence(squared_error(predicted, judged), distance, predicted)

    def queries(self, clip: Tensor) -> dict[str, Tensor]:
        """Branch → unit queries (B, C, h, w) of the four frames before the judged one."""
        features, _ = self.encoder(clip[:, : self.window.before])
        return {name: branch.queries(features) for name, branch in self._branches().items()}

    def _read(self, queries: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: branch.read(queries[name]) for name, branch in self._branches().items()}

    def _predict(self, read: Mapping[str, Tensor], skips: list[Tensor]) -> Tensor:
        assert self.decoder is not None
        predicted: Tensor = self.decoder(torch.cat(list(read.values()), dim=1), skips)
        return predicted.float()

    # Training -----------------------------------------------------------------------------------------------

    @property
    def roles(self) -> tuple[Role, ...]:
        """Which roles a batch should have. What is missing takes its terms with it."""
        settings = self.settings
        if settings.discriminator:
            return ("normal", "second", "abnormal")
        if settings.memory == "dual" or (settings.memory == "single" and settings.query_margin > 0):
            return ("normal", "abnormal")
        return ("normal",)

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all"."""
        return {"all": ParameterGroup(list(self.parameters()))}

    def inference_parameters(self) -> list[nn.Parameter]:
        """All but the discriminators, and but the abnormality branch where there is no decoder to use it."""
        unused: list[nn.Module | None] = [branch.discriminator for branch in self._branches().values()]
        if self.decoder is None:
            unused.append(self.abnormality)
        idle = {id(parameter) for module in unused if module is not None for parameter in module.parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in idle]

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Eq. 9: one objective for the group "all"."""
        settings, terms = self.settings, Terms()
        trace: dict[str, Tensor] = {}
        features: dict[str, dict[Role, Tensor]] = {name: {} for name in self._branches()}
        for role, clips, queries, skips in self._encode(self._present(batch)):
            read: dict[str, Tensor] = {}
            for name, branch in self._branches().items():
                if name not in queries:
                    continue
                if branch.memory is not None:
                    self._teach(terms, trace, role, clips, name, branch.memory, queries[name])
                if self._passes_all(role):
                    read[name] = branch.read(queries[name])
                    if branch.discriminator is not None:
                        features[name][role] = branch.discriminator(read[name])
            if self._decodes(role) and role != "abnormal":
                error = losses.reconstruction(self._predict(read, skips), clips.pixels[:, self.window.before])
                terms.add("reconstruction", error, settings.reconstruction)
            elif self._decodes(role):
                with torch.no_grad():  # it enters no loss: only batch norm takes note of it
                    self._predict(read, skips)
        for name, of_role in features.items():
            if {"normal", "second", "abnormal"} <= of_role.keys():
                loss = losses.triplet(
                    of_role["normal"],
                    of_role["second"],
                    of_role["abnormal"],
                    margin=settings.triplet_margin,
                    features=settings.triplet_features,
                    kind=settings.triplet_distance,
                )
                terms.add(f"{name}.triplet", loss, settings.triplet)
        yield Objective("all", terms.values, terms.weights, trace)

    def _teach(
        self,
        terms: Terms,
        trace: dict[str, Tensor],
        role: Role,
        clips: Clips,
        name: str,
        memory: Memory,
        queries: Tensor,
    ) -> None:
        """Terms between the queries of one role and the items of one branch, and what feeds its memory."""
        settings, lesson = self.settings, self.lessons[name][role]
        found = memory.neighbours(queries.detach())
        nearest = losses.squared_distance(queries, found.nearest)
        odd = None  # with a query margin, only the places that are odd speak for an abnormal clip
        if role == "abnormal" and settings.query_margin > 0:
            count, height, width = nearest.shape
            odd = losses.abnormal_cells(clips.places, (count, height, width), nearest.device)
        if lesson.draws:
            if odd is not None:
                terms.add(f"{name}.pull_abnormal", losses.pull(nearest, odd), settings.query_margin)
            else:
                terms.add(f"{name}.compactness", losses.compactness(nearest, settings.reduction), settings.compactness)
                if settings.worst_share > 0 and name == NORMALITY and role != "abnormal":
                    terms.add(f"{name}.worst", losses.worst(nearest, settings.worst_share), settings.compactness)
            kind = settings.separateness_distance
            first = nearest if kind == "squared" else losses.plain_distance(queries, found.nearest)
            second = None if found.second is None else losses.distance(queries, found.second, kind)
            apart = losses.separateness(first, second, settings.separateness_margin, settings.reduction, odd)
            terms.add(f"{name}.separateness", apart, settings.separateness)
        if odd is not None and name == NORMALITY and settings.compactness_beside:
            terms.add(f"{name}.beside", losses.pull_elsewhere(nearest, odd), settings.compactness)
        if lesson.pushes:
            pushed = "push_abnormal" if role == "abnormal" else "push_normal"
            far = losses.hinge(nearest, settings.query_margin_distance, odd)
            terms.add(f"{name}.{pushed}", far, settings.query_margin)
        if lesson.feeds:
            kept = queries.detach()
            if odd is not None:  # each query as a picture of one place, the background left out
                kept = kept.movedim(1, -1)[odd][:, :, None, None]
            trace[f"{role}.{name}"] = kept

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Eqs. 3-4: each memory takes the queries of the step; each role has its own softmax."""
        for name, branch in self._branches().items():
            if branch.memory is None:
                continue
            parts = [[trace[key] for trace in traces if key in trace] for key in (f"{r}.{name}" for r in self.roles)]
            queries = [torch.cat(part) for part in parts if part]
            if not queries:
                continue
            branch.memory.update(*queries)

    def ailments(self) -> list[str]:
        """What is wrong with the memories that judging uses, named by branch.

        Without a decoder, the abnormality memory only pulls queries during training, for which one item does.
        """
        return [
            f"{name} memory: {ailment}"
            for name, branch in self._branches().items()
            if branch.memory is not None and (name == NORMALITY or self.decoder is not None)
            for ailment in branch.memory.ailments()
        ]

    def _present(self, batch: Batch) -> list[tuple[Role, Clips]]:
        found = {"normal": batch.normal, "second": batch.second, "abnormal": batch.abnormal}
        # Anchor, abnormal, second: the order only shows in batch norm's running statistics.
        order: tuple[Role, ...] = ("normal", "abnormal", "second")
        return [(role, clips) for role in order if role in self.roles and (clips := found[role]) is not None]

    def _encode(
        self, present: list[tuple[Role, Clips]]
    ) -> Iterator[tuple[Role, Clips, dict[str, Tensor], list[Tensor]]]:
        """Role, clips, queries by branch, skips; all roles in one batch for batch norm, or each in its own."""
        before, branches = self.window.before, self._branches()
        if not self.settings.joint_batch:
            for role, clips in present:
                shared, skips = self.encoder(clips.pixels[:, :before])
                needed = {name: branch for name, branch in branches.items() if self._needs(role, name)}
                yield role, clips, {name: branch.queries(shared) for name, branch in needed.items()}, skips
            return
        counts = [len(clips.pixels) for _, clips in present]
        shared, skips = self.encoder(torch.cat([clips.pixels[:, :before] for _, clips in present]))
        queries = {name: torch.split(branch.queries(shared), counts) for name, branch in branches.items()}
        parts = [torch.split(skip, counts) for skip in skips]
        for number, (role, clips) in enumerate(present):
            of_role = {name: part[number] for name, part in queries.items()}
            yield role, clips, of_role, [part[number] for part in parts]

    def _decodes(self, role: Role) -> bool:
        """Whether clips of this role pass the decoder."""
        return self.decoder is not None and (role != "abnormal" or self.settings.decode_abnormal)

    def _passes_all(self, role: Role) -> bool:
        """Whether clips of this role go on to discriminators or decoder, and so through every branch."""
        return self._decodes(role) or self.settings.discriminator

    def _needs(self, role: Role, name: str) -> bool:
        """Whether queries of this role are wanted in this branch."""
        lesson = self.lessons[name][role]
        return self._passes_all(role) or lesson.draws or lesson.pushes
