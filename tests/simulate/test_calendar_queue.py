"""A calendar queue gives things back in the order of time, whatever was put when."""

from heapq import heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.simulate.calendar_queue import CalendarQueue

steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 1000), st.integers(0, 10**7)),
        st.lists(st.tuples(st.one_of(st.just(0), st.integers(0, 10**7)), st.integers(0, 9))),
    )
)


@given(steps)
def test_it_is_a_heap(taken: list[tuple[int, list[tuple[int, int]]]]) -> None:
    queue, heap = CalendarQueue(10), list[tuple[int, int]]()
    now_ns = 0
    for step, put in taken:
        now_ns += step
        due = []
        while heap and heap[0][0] <= now_ns:
            due.append(heappop(heap)[1])
        assert queue.take(now_ns) == due
        for later, thing in put:
            heappush(heap, (now_ns + later, thing))
            queue.put(now_ns + later, thing)
        assert bool(queue) == bool(heap)
        if heap:
            assert now_ns - 2**17 < queue.earliest_ns <= heap[0][0]
