"""Scene-Aware (Sun et al., "Scene-Aware Context Reasoning for Unsupervised Abnormal Event Detection in Videos", ACM MM
2020), with objects that are found by their motion.

Objects of ten frames and the relations between them tell each other what they are. Frames are put into groups of
scenes without labels; what is common in one group is odd in the others, and an object is as odd as in the group in
which it is least odd. Follows the paper and the published part of the code. Not to be had here: the detector of
objects, the features of VGG-16, the graph trained on other pictures, the tracker, and the script that judged, which was
never published. Instead, objects are the fastest places, found in the judged frame and followed back by the flow of
`nn/flow.py`; they are described by gradients and flow; and there is one layer for each group against the rest, trained
from the start. Windows slide and end with the judged frame. Groups are of frames of the batch and of earlier steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.moving import SceneAwareSettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, RMSProp, Window
from oddframe.models.framediff import squared_error
from oddframe.nn.chance import Chance
from oddframe.nn.evidence import Evidence
from oddframe.nn.object_graph import ObjectGraph
from oddframe.nn.objects import DESCRIPTION, Objects, described, fits, objects_in
from oddframe.nn.scene_groups import Remembered, SceneGroups, energy, least_energy, measure_of, mixture_of

NEAR = 0.5
"""Objects whose upper left corners are nearer than this part of the picture's shorter side have a relation."""
CELL = 8
"""Side of the places, in pixels, that are told how odd they are."""
ALL_BUT = 0.95
"""A group with more than this share of the frames leaves nothing to the others."""


class Described(NamedTuple):
    """Features of clips: objects, nodes (B, T, N, D), spatial edges (B, T, E, D), and which of these are, (B, T, E)."""

    objects: Objects
    nodes: Tensor
    edges: Tensor
    near: Tensor


class SceneAware(Detector):
    """Scene-Aware: 3,930,406 parameters in training, without the 261.7 million of the published one and its VGG-16.

    Args:
        settings: see `SceneAwareSettings`.
        generator: where the seed of dropout is drawn from; torch's own without one. Weights come from torch's own.
    """

    window = Window(9, 0)
    has_distance = True
    settings: SceneAwareSettings
    spatial: Tensor
    pairs: Tensor

    def __init__(self, settings: SceneAwareSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        hidden, self.objects = settings.hidden, fits(settings.size, settings.objects)
        self.node, self.edge = nn.Linear(DESCRIPTION, hidden), nn.Linear(DESCRIPTION, hidden)
        self.graph = ObjectGraph(hidden)
        self.of_node, self.of_edge = nn.Linear(hidden, settings.groups), nn.Linear(hidden, settings.groups)
        self.clusters = SceneGroups(hidden, settings.groups)
        self.seen = Remembered(settings.groups)
        self.chance = Chance(generator)
        spatial = list(itertools.combinations(range(self.objects), 2))
        self.register_buffer("spatial", torch.tensor(spatial, dtype=torch.int64).reshape(-1, 2), persistent=False)
        self.register_buffer("pairs", self._pairs(), persistent=False)

    def _pairs(self) -> Tensor:
        """All edges of a clip by the numbers of their nodes: within each frame, then from each frame to the next."""
        nodes, frames = self.objects + 1, self.window.frames
        within = [self.spatial + nodes * frame for frame in range(frames)]
        numbers = torch.arange(nodes * (frames - 1), device=self.spatial.device)
        return torch.cat([*within, torch.stack([numbers, numbers + nodes], dim=1)])

    # Judging ------------------------------------------------------------------------------------------------

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 10, C, H, W) in [-1, 1]; see `Detector.forward`."""
        before, judged = clip[:, -2], clip[:, -1]
        error, seen = squared_error(before, judged), self._described(clip)
        if self.settings.score == "energy":
            measure = self.seen.measure()
            z, _ = self._grouped(seen)
            return Evidence(error, (energy(z, measure) - least_energy(measure)).clamp(min=0).view(-1, 1, 1), before)
        nodes, edges = self._states(seen)
        last = self.objects + 1
        odd_nodes = least_odd(self.of_node(nodes[:, -last:]))
        edges = edges[:, (self.window.frames - 1) * len(self.spatial) : self.window.frames * len(self.spatial)]
        odd_edges = least_odd(self.of_edge(edges)) * seen.near[:, -1]
        return Evidence(error, self._painted(seen.objects, odd_nodes, odd_edges), before)

    def _described(self, clip: Tensor) -> Described:
        found = objects_in(clip, self.objects)
        boxes, there = found.boxes, found.there
        pictures, flat = found.pictures.flatten(0, 1), boxes.flatten(0, 1)
        nodes = self.node(described(pictures, flat)).float()
        one, two = boxes[:, :, self.spatial[:, 0]], boxes[:, :, self.spatial[:, 1]]
        if len(self.spatial):
            union = torch.cat([torch.minimum(one, two)[..., :2], torch.maximum(one, two)[..., 2:]], dim=-1)
            edges = F.relu(self.edge(described(pictures, union.flatten(0, 1)))).float()
        else:
            edges = nodes[:, :0]
        height, width = clip.shape[3:]
        apart = (one - two)[..., :2] * one.new_tensor([width, height])
        near = apart.square().sum(dim=-1) < (NEAR * min(height, width)) ** 2
        both = there[:, self.spatial[:, 0]] * there[:, self.spatial[:, 1]]
        shape = (-1, self.window.frames)
        return Described(
            found,
            nodes.reshape(*shape, *nodes.shape[1:]),
            edges.reshape(*shape, *edges.shape[1:]),
            near.to(both.dtype) * both.unsqueeze(1),
        )

    def _states(self, seen: Described) -> tuple[Tensor, Tensor]:
        """States of all nodes of clips, (B, 10 N, D), and of all edges, as `pairs` has them."""
        through = self.graph.between(seen.nodes[:, :-1], seen.nodes[:, 1:])
        edges = torch.cat([seen.edges.flatten(1, 2), through.flatten(1, 2)], dim=1)
        kept = self._kept(seen)
        nodes, edges = self.graph(seen.nodes.flatten(1, 2), edges, self.pairs, kept, self.settings.rounds)
        return nodes.float(), edges.float()

    def _kept(self, seen: Described) -> Tensor:
        """Which edges there are, (B, E)."""
        through = seen.objects.there.repeat(1, self.window.frames - 1)
        return torch.cat([seen.near.flatten(1), through], dim=1)

    def _grouped(self, seen: Described, random: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Four numbers of each judged frame, and its groups."""
        nodes = F.normalize(seen.nodes[:, -1].detach(), dim=-1)
        z, groups = self.clusters(nodes, seen.objects.there, random)
        return z, groups

    def _painted(self, objects: Objects, odd_nodes: Tensor, odd_edges: Tensor) -> Tensor:
        """How odd each place is, (B, H/8, W/8): as the oddest object there, or the oddest relation of one."""
        odd = odd_nodes[:, :-1]
        if len(self.spatial):
            numbers = torch.arange(self.objects, device=odd.device)
            of_object = (self.spatial.unsqueeze(0) == numbers.view(-1, 1, 1)).any(dim=-1)  # (N, E)
            odd = torch.maximum(odd, torch.where(of_object, odd_edges.unsqueeze(1), 0.0).amax(dim=2))
        rows, columns = (side // CELL for side in self.settings.size)
        down = ((torch.arange(rows, device=odd.device) + 0.5) / rows).view(-1, 1)
        across = (torch.arange(columns, device=odd.device) + 0.5) / columns
        left, top, right, bottom = (one.unsqueeze(-1) for one in torch.split(objects.boxes[:, -1, :-1], 1, dim=-1))
        inside = (across >= left) & (across < right) & (down >= top) & (down < bottom)
        painted = inside * (odd * objects.there[:, :-1]).view(-1, self.objects, 1, 1)
        return torch.maximum(painted.amax(dim=1), odd_nodes[:, -1].view(-1, 1, 1))

    # Training -----------------------------------------------------------------------------------------------

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """What puts frames into groups, at a tenth of the rate of what reasons about objects."""
        clusters = list(self.clusters.parameters())
        return {
            "clusters": ParameterGroup(clusters, 0.1, RMSProp()),
            "reasoning": ParameterGroup(self._reasoning(), 1.0, RMSProp()),
        }

    def _reasoning(self) -> list[nn.Parameter]:
        parts = (self.node, self.edge, self.graph, self.of_node, self.of_edge)
        return [parameter for part in parts for parameter in part.parameters()]

    def inference_parameters(self) -> list[nn.Parameter]:
        """What the score takes."""
        if self.settings.score == "energy":
            return [*self.node.parameters(), *self.clusters.graph.parameters()]
        return self._reasoning()

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Groups first; then, after `cluster_steps`, what is common in the frame's group and odd in the others."""
        settings = self.settings
        seen = self._described(batch.normal.pixels)
        z, groups = self._grouped(seen, self.chance.draw())
        measure = measure_of(mixture_of(*self.seen.with_new(z, groups)))
        variances = torch.linalg.inv(measure.root).square().sum(dim=2)  # the diagonal of root⁻¹ root⁻ᵀ
        terms = {"energy": energy(z.double(), measure).mean().float(), "variance": (1 / variances).sum().float()}
        with torch.no_grad():
            plain = dict(zip(("z", "groups"), self._grouped(seen), strict=True))
        yield Objective("clusters", terms, {"energy": 1.0, "variance": settings.variance}, plain)
        if int(self.chance.steps) >= settings.cluster_steps:
            yield self._one_against_the_rest(seen, plain["groups"].argmax(dim=1))

    def _one_against_the_rest(self, seen: Described, label: Tensor) -> Objective:
        nodes, edges = self._states(seen)
        own = F.one_hot(label, self.settings.groups).to(nodes.dtype).unsqueeze(1)
        terms = {
            "objects": _taken_for(self.of_node(nodes), own, seen.objects.there.repeat(1, self.window.frames)),
            "relations": _taken_for(self.of_edge(edges), own, self._kept(seen)),
            "sparsity": self.of_node.weight.abs().sum() + self.of_edge.weight.abs().sum(),
        }
        return Objective("reasoning", terms, {"objects": 1.0, "relations": 1.0, "sparsity": self.settings.sparsity})

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Remember the frames of the step and fit the mixture to them."""
        self.chance.stepped()
        for trace in traces:
            if "z" in trace:
                self.seen.add(trace["z"], trace["groups"])

    def ailments(self) -> list[str]:
        """Whether training was too short, and whether there are groups at all."""
        steps, settings = int(self.chance.steps), self.settings
        found = []
        if 0 < steps <= settings.cluster_steps:
            found.append(
                f"nothing is learned of objects yet: {steps} steps, and it begins after "
                f"model.cluster_steps={settings.cluster_steps}"
            )
        if steps and settings.groups > 1 and self.seen.largest_share() > ALL_BUT:
            found.append(f"groups of scenes: one of {settings.groups} has all frames, as of a single scene")
        return found


def least_odd(said: Tensor) -> Tensor:
    """What objects are told by each group, (..., M), in logarithms of odds that they are of it → (...,) 0..1.

    How likely each is abnormal in the group in which that is least likely.
    """
    return (-said.float()).sigmoid().amin(dim=-1)


def _taken_for(said: Tensor, own: Tensor, kept: Tensor) -> Tensor:
    """Cross entropy of each group against the rest, (B, N, M), over what there is, (B, N)."""
    entropy = F.softplus(said.float()) - own * said.float()
    return (entropy.mean(dim=-1) * kept).sum() / kept.sum().clamp(min=1)
