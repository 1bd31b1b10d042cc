"""Objects and the relations between them as a graph along which they tell each other what they are.

The inference of Scene-Aware's published code: all objects share one recurrent cell and all relations another, and in
each round an object hears of its relations as they are after that round. A cell is torch's GRU, theirs TensorFlow's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ObjectGraph(nn.Module):
    """States of nodes and edges, after some rounds of messages.

    Args:
        hidden: length of features and of states; 512 as published.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.temporal = nn.Linear(2 * hidden, hidden)
        self.node, self.edge = nn.GRUCell(hidden, hidden), nn.GRUCell(hidden, hidden)
        self.edge_from_subject, self.edge_from_object = nn.Linear(2 * hidden, 1), nn.Linear(2 * hidden, 1)
        self.node_from_out, self.node_from_in = nn.Linear(2 * hidden, 1), nn.Linear(2 * hidden, 1)

    def between(self, earlier: Tensor, later: Tensor) -> Tensor:
        """Features (B, N, D) of objects in a frame and in the next → of the edge from each to itself, (B, N, D)."""
        edges: Tensor = self.temporal(torch.cat([earlier, later], dim=-1))
        return edges

    def forward(self, nodes: Tensor, edges: Tensor, pairs: Tensor, kept: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
        """Features (B, N, D) of nodes and (B, E, D) of edges → states of the same shapes.

        Args:
            pairs: (E, 2), from which node each edge leads to which. kept: (B, E), 0 for edges that there are not, which
                tell nobody anything. rounds: of messages.
        """
        of_subject, of_object = pairs[:, 0], pairs[:, 1]
        numbers = torch.arange(nodes.shape[1], device=nodes.device).unsqueeze(1)
        leaving, arriving = ((numbers == one).to(nodes.dtype) for one in (of_subject, of_object))  # (N, E)
        node, edge = _step(self.node, nodes, None), _step(self.edge, edges, None)
        for _ in range(rounds):
            subject, object_ = node[:, of_subject], node[:, of_object]
            message = _gated(self.edge_from_subject, subject, edge) * subject
            edge = _step(self.edge, message + _gated(self.edge_from_object, object_, edge) * object_, edge)
            told = edge * kept.unsqueeze(-1)
            out = leaving @ (_gated(self.node_from_out, edge, subject) * told)
            node = _step(self.node, out + arriving @ (_gated(self.node_from_in, edge, object_) * told), node)
        return node, edge


def _gated(gate: nn.Module, one: Tensor, other: Tensor) -> Tensor:
    share: Tensor = gate(torch.cat([one, other], dim=-1)).sigmoid()
    return share


def _step(cell: nn.GRUCell, given: Tensor, state: Tensor | None) -> Tensor:
    """One step of a recurrent cell for all nodes or edges, (B, N, D) each; from 0 without a state."""
    flat = given.flatten(0, 1)
    after: Tensor = cell(flat, torch.zeros_like(flat) if state is None else state.flatten(0, 1))
    return after.reshape(-1, *given.shape[1:])
