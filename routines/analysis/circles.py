"""Circles in a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def circles(following: Mapping[int, Sequence[int]]) -> list[frozenset[int]]:
    """Return the sets of nodes that can all be reached from each other; one that follows itself is a set too.

    Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion: chains of routines may
    be longer than Python's stack.
    """
    found: list[frozenset[int]] = []
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in list(following):
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        path: list[tuple[int, Iterator[int]]] = [(root, iter(following.get(root, ())))]
        while path:
            node, others = path[-1]
            unseen = next((other for other in others if _is_new(other, node, order, low, on_stack)), None)
            if unseen is not None:
                order[unseen] = low[unseen] = len(order)
                stack.append(unseen)
                on_stack.add(unseen)
                path.append((unseen, iter(following.get(unseen, ()))))
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[node])
            if low[node] == order[node]:
                cut = stack.index(node)
                members = frozenset(stack[cut:])
                del stack[cut:]
                on_stack -= members
                if len(members) > 1 or node in following.get(node, ()):
                    found.append(members)
    return found


def _is_new(other: int, node: int, order: Mapping[int, int], low: dict[int, int], on_stack: set[int]) -> bool:
    """Return whether a node has not been met; of one that has, note how far back it is."""
    if other not in order:
        return True
    if other in on_stack:
        low[node] = min(low[node], order[other])
    return False
