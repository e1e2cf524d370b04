"""Who is next: one file an order, `key(priority, expected_us)`; least first, then requeued ones, then by submission."""

from collections.abc import Callable

from twin.jobs.orders import fifo, priority, shortest_first

Order = Callable[[float, int], float]

ORDERS: dict[str, Order] = {"fifo": fifo.key, "priority": priority.key, "shortest_first": shortest_first.key}
