from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.nn.memory import Memory, unit


def memory_of(items: list[list[float]], **options: object) -> Memory:
    memory = Memory(len(items), len(items[0]), **options)  # type: ignore[arg-type]
    memory.items.copy_(F.normalize(torch.tensor(items), dim=1))
    return memory


def queries_of(rows: list[list[float]]) -> Tensor:
    """Rows (K, C) as one picture of one row, (1, C, 1, K), unit length."""
    return unit(torch.tensor(rows).T[None, :, None, :])


def test_first_items_are_unit_vectors_without_negative_part_that_repeat_with_the_seed() -> None:
    one, two = (Memory(10, 16, generator=torch.Generator().manual_seed(7)).items for _ in range(2))
    assert torch.equal(one, two)
    assert torch.allclose(one.norm(dim=1), torch.ones(10))
    assert one.min() >= 0


def test_reading_puts_the_query_first_and_then_the_average_it_calls_up() -> None:
    read = memory_of([[1.0, 0.0], [0.0, 1.0]]).read(queries_of([[1.0, 0.0]]))
    share = math.e / (math.e + 1)  # softmax of (1, 0)
    assert read.flatten().tolist() == pytest.approx([1, 0, share, 1 - share])


def test_only_the_query_half_of_a_read_carries_a_gradient() -> None:
    query = queries_of([[0.6, 0.8]]).requires_grad_()
    read = memory_of([[1.0, 0.0], [0.0, 1.0]]).read(query)
    read.sum().backward()
    assert query.grad is not None
    assert torch.equal(query.grad, torch.ones_like(query))


def test_squared_distance_is_0_at_an_item_2_across_and_4_opposite() -> None:
    distance, index = memory_of([[1.0, 0.0, 0.0]]).nearest(
        queries_of([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    )
    assert distance.flatten().tolist() == [0.0, 2.0, 4.0]
    assert index.flatten().tolist() == [0, 0, 0]


def test_the_smallest_distances_keep_their_digits() -> None:
    step = 1e-4  # squared 1e-8: lost entirely in 2 - 2 cos at single precision
    distance, _ = memory_of([[1.0, 0.0]]).nearest(queries_of([[1.0, step]]))
    assert distance.item() == pytest.approx(step**2, rel=1e-3)


def update_by_the_book(items: Tensor, queries: Tensor) -> Tensor:
    """Eqs. 3-4, two loops over (M, C) items and (K, C) queries."""
    updated = items.clone()
    for m in range(len(items)):
        total = sum(math.exp(float(query @ items[m])) for query in queries)
        for query in queries:
            if max(range(len(items)), key=lambda other: float(query @ items[other])) == m:
                updated[m] += math.exp(float(query @ items[m])) / total * query
        updated[m] /= updated[m].norm()
    return updated


@pytest.mark.parametrize(("shape", "count"), [((2, 8, 3, 4), 5), ((1, 4, 1, 1), 3), ((3, 16, 2, 2), 1)])
def test_plain_softmax_update_is_what_the_equations_say(shape: tuple[int, int, int, int], count: int) -> None:
    draw = torch.Generator().manual_seed(1)
    memory = Memory(count, shape[1], generator=draw).double()
    queries = unit(torch.randn(shape, generator=draw, dtype=torch.float64))
    wanted = update_by_the_book(memory.items.clone(), queries.movedim(1, -1).flatten(0, 2))
    memory.update(queries)
    assert torch.allclose(memory.items, wanted, atol=1e-12)


def test_divided_by_the_maximum_the_best_query_counts_in_full() -> None:
    rows = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
    term = memory_of([[1.0, 0.0]], update_weight="max").update_terms(queries_of(rows))
    weights = [1.0, math.exp(0.6 - 1), math.exp(-1)]
    wanted = [sum(w * row[axis] for w, row in zip(weights, rows, strict=True)) for axis in (0, 1)]
    assert term.flatten().tolist() == pytest.approx(wanted)


def test_the_maximum_is_that_of_each_item() -> None:
    rows = [[0.8, -0.6, 0.0], [0.0, 0.6, 0.8]]
    terms = memory_of([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], update_weight="max").update_terms(queries_of(rows))
    assert terms.flatten().tolist() == pytest.approx([*rows[0], *rows[1]])  # the best of both count in full


def test_usage_adds_up_to_how_much_was_seen_however_many_roles_it_came_from() -> None:
    memory = memory_of([[1.0, 0.0], [-1.0, 0.0]])
    for _ in range(3):
        memory.update(queries_of([[1.0, 0.0]]), queries_of([[-1.0, 0.0], [-1.0, 0.0]]))
    assert float(memory.usage.sum()) == pytest.approx(1 - 0.99**3)


def test_an_item_that_no_query_chose_stays_where_it_is() -> None:
    memory = memory_of([[1.0, 0.0], [0.0, 1.0]])
    memory.update(queries_of([[0.8, 0.6], [1.0, 0.1]]))
    assert memory.items[1].tolist() == [0.0, 1.0]
    assert memory.items[0, 1] > 0


def test_each_set_of_queries_has_its_own_softmax_and_their_sums_are_added() -> None:
    draw = torch.Generator().manual_seed(2)
    memory = Memory(4, 6, generator=draw)
    first, second = (unit(torch.randn(2, 6, 2, 2, generator=draw)) for _ in range(2))
    wanted = unit(memory.items + memory.update_terms(first) + memory.update_terms(second))
    memory.update(first, second)
    assert torch.allclose(memory.items, wanted)


def test_an_update_without_queries_changes_nothing() -> None:
    memory = memory_of([[1.0, 0.0], [0.0, 1.0]])
    memory.update(torch.empty(0, 2, 1, 1))
    assert memory.items.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert memory.shares().tolist() == [0.5, 0.5]


def test_one_item_has_a_nearest_neighbour_and_no_second() -> None:
    found = memory_of([[1.0, 0.0]]).neighbours(queries_of([[0.0, 1.0]]))
    assert found.nearest.flatten().tolist() == [1.0, 0.0]
    assert found.second is None


def test_neighbours_come_nearest_first() -> None:
    found = memory_of([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).neighbours(queries_of([[0.5, 0.9]]))
    assert found.nearest.flatten().tolist() == [0.0, 1.0]
    assert found.second is not None
    assert found.second.flatten().tolist() == [1.0, 0.0]


def test_automatic_half_precision_does_not_change_which_item_is_nearest() -> None:
    # The cosines are 0.8 and 0.8008: both 0.8008 in bfloat16, where the first of equals would win.
    memory = memory_of([[0.8, 0.6], [0.8008, -0.5989195]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, index = memory.nearest(queries_of([[1.0, 0.0]]))
        read = memory.read(queries_of([[1.0, 0.0]]))
    assert index.item() == 1
    assert read.dtype == torch.float32


def test_a_memory_in_good_health_says_nothing() -> None:
    assert memory_of([[1.0, 0.0], [0.0, 1.0]]).ailments() == []


def test_ailments_name_dead_items_and_the_one_that_takes_everything() -> None:
    memory = memory_of([[1.0, 0.0], [-1.0, 0.0]])
    memory.update(queries_of([[1.0, 0.0]]))
    assert memory.ailments() == [
        "1 of 2 items are hardly used: the others do their work",
        "item 0 takes 100% of all queries",
    ]


def test_dead_items_are_noticed_in_a_training_of_200_steps() -> None:
    memory = memory_of([[1.0, 0.0], [0.0, 1.0], *([[-1.0, 0.1 * n] for n in range(1, 4)])])
    for _ in range(200):  # three of five items get no query
        memory.update(queries_of([[1.0, 0.0], [0.0, 1.0]]))
    assert memory.ailments() == ["3 of 5 items are hardly used: the others do their work"]
    assert memory.shares().tolist() == pytest.approx([0.5, 0.5, 0, 0, 0])


def test_an_item_that_was_used_only_long_ago_is_dead_and_one_that_rested_for_ten_updates_is_not() -> None:
    memory = memory_of([[1.0, 0.0], [-1.0, 0.0]])
    for first, second in ((50, 0), (0, 10)):
        for query, times in (([1.0, 0.0], first), ([-1.0, 0.0], second)):
            for _ in range(times):
                memory.update(queries_of([query]))
    assert memory.shares()[1] == pytest.approx((1 - 0.99**10) / (1 - 0.99**60))  # 0.21: the past fades
    assert memory.ailments() == []


def test_ailments_name_equal_items() -> None:
    assert memory_of([[1.0, 0.0], [1.0, 0.01]]).ailments() == ["all 2 items are equal (every cosine above 0.999)"]


def test_largest_similarity_is_that_of_the_two_closest_items() -> None:
    assert memory_of([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]]).largest_similarity() == pytest.approx(0.6)


def test_usage_survives_a_resume() -> None:
    memory = memory_of([[1.0, 0.0], [-1.0, 0.0]])
    memory.update(queries_of([[1.0, 0.0]]))
    other = Memory(2, 2)
    other.load_state_dict(memory.state_dict())
    assert other.usage.tolist() == pytest.approx([0.01, 0.0])
    assert other.shares().tolist() == [1.0, 0.0]


def test_shares_of_an_older_run_whose_usage_adds_up_to_1_are_as_they_stand() -> None:
    memory = memory_of([[1.0, 0.0], [-1.0, 0.0]])
    memory.usage.copy_(torch.tensor([0.7, 0.3]))
    assert memory.shares().tolist() == pytest.approx([0.7, 0.3])
