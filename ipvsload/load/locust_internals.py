"""All that this package knows of how Locust works inside.

Locust documents none of this, so a new version of it may break it: private
attributes, constants, and methods that Locust calls itself. No other module
touches them. Locust's source is named where a fact comes from (Locust 2.47).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from gevent.pool import Group
from locust import User, argument_parser, events, stats, task
from locust.dispatch import UsersDispatcher
from locust.user.users import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING


class ManagedUser(User):
    """A user that Locust starts, counts and stops, but that runs none of Locust's tasks.

    Subclasses say what it does instead, by `live` and `leave`.
    """

    abstract = True

    @task
    def request(self) -> None:
        """Locust lists this as the user's task and never calls it."""

    def live(self) -> None:
        """Return when the user is over; gevent.GreenletExit is raised in it to end it at once."""
        raise NotImplementedError

    def leave(self) -> bool:
        """Make `live` return soon; False if it has to be killed instead."""
        raise NotImplementedError

    def start(self, group: Group) -> Any:
        """Run `live` in a greenlet of `group`; Locust calls this (runners.py, spawn_users)."""
        self._group = group
        self._state = LOCUST_STATE_RUNNING
        # Locust finds the user as its greenlet's first argument.
        self._greenlet = group.spawn(type(self).live, self)
        return self._greenlet

    def stop(self, force: bool = False) -> bool:
        """End the user, with `force` at once; True if it is over (runners.py, stop_users)."""
        if force or not self.leave():
            self._group.killone(self._greenlet)
            return True
        self._state = LOCUST_STATE_STOPPING
        return False


class IdleDispatcher(UsersDispatcher):
    """Starts a test with no users and changes none, because a scenario's timeline does that.

    Each worker is told once that the test has begun, with no users of any class.
    """

    def new_dispatch(self, *_: Any, **__: Any) -> None:
        """Dispatch no users."""

    def __iter__(self) -> Iterator[Mapping[str, Mapping[str, int]]]:
        yield {node.id: {} for node in self._worker_nodes}

    def add_worker(self, worker_node: Any) -> None:
        """Ignore a worker that comes late: it has no part in a test that has begun."""

    def remove_worker(self, worker_node: Any) -> None:
        """Ignore a lost worker: the run itself ends when one is lost."""

    @property
    def dispatch_in_progress(self) -> bool:
        """Always true, so that Locust never starts a dispatch by itself."""
        return True


def apply_weights(runner: Any) -> None:
    """Have the running users' mix follow their classes' weights as they are now."""
    dispatcher = runner._users_dispatcher
    if dispatcher is not None and not isinstance(dispatcher, IdleDispatcher):
        dispatcher._prepare_rebalance()  # by the next dispatch
        rate = runner.target_user_count or 1
        runner.start(runner.target_user_count, spawn_rate=min(100.0, float(rate)))


def stop_users_and_report(runner: Any) -> None:
    """Stop all of a worker's users, wait for them, and send their statistics to the master."""
    if runner.spawning_greenlet:
        runner.spawning_greenlet.kill(block=True)
    runner.stop_users(dict(runner.user_classes_count))
    runner._send_stats()


def is_testing(runner: Any) -> bool:
    """Whether a test's users are being started, or run."""
    return runner.state in ("spawning", "running")


def available_workers(runner: Any) -> list[str]:
    """A master's workers that can take part in a test, in the order of their names."""
    clients = runner.clients
    return sorted(node.id for node in clients.ready + clients.spawning + clients.running)


def busy_workers(runner: Any) -> list[str]:
    """A master's workers that have users, or are being given some."""
    return [node.id for node in runner.clients.running + runner.clients.spawning]


def known_workers(runner: Any) -> set[str]:
    """A master's workers, also those whose heartbeats are missing."""
    return set(runner.clients)


def present_workers(runner: Any) -> set[str]:
    """A master's workers whose heartbeats come."""
    return {node.id for node in runner.clients.all if node.state != "missing"}


def keep_fractions_of_milliseconds() -> None:
    """Have Locust's percentiles keep two digits of response times below 10 ms, too.

    Locust rounds them to whole milliseconds (stats.py, bucket_response_time).
    """
    stats.bucket_response_time = lambda milliseconds: float(f"{milliseconds:.2g}")


@lru_cache(1 << 14)
def _bucket(latency_us: int) -> float:
    return float(stats.bucket_response_time(latency_us / 1000))


def request_listeners(environment: Any) -> list[Any]:
    """Who listens to its request event besides Locust's statistics.

    Theirs is a function inside the runner's constructor (runners.py, Runner.__init__).
    """
    return [
        one
        for one in environment.events.request._handlers
        if getattr(one, "__qualname__", "") != "Runner.__init__.<locals>.on_request"
    ]


def log_requests(
    found: stats.RequestStats, method: str, name: str, latencies_us: Sequence[int], size: int
) -> None:
    """Have the statistics count requests that end now; `size` adds their bodies, in bytes.

    What `RequestStats.log_request` does for each of them is done once, by what a master does
    with a worker's sums (stats.py, StatsEntry.extend).
    """
    now = time.time()
    sums = stats.StatsEntry(found, name, method)
    sums.last_request_timestamp = now
    sums.num_requests = len(latencies_us)
    sums.num_reqs_per_sec[int(now)] = len(latencies_us)
    sums.total_response_time = sum(latencies_us) / 1000
    sums.min_response_time = min(latencies_us) / 1000
    sums.max_response_time = max(latencies_us) / 1000
    sums.response_times = Counter(map(_bucket, latencies_us))
    sums.total_content_length = size
    for entry in (found.total, found.entries[name, method]):
        last = entry.last_request_timestamp
        if entry.use_response_times_cache and last and int(now) > int(last):
            entry._cache_response_times(int(now) - 1)  # as StatsEntry.log does
        entry.last_request_timestamp = now
        entry.extend(sums)


def remember_default_arguments() -> None:
    """Have a worker make its parser of default arguments once.

    Locust makes it anew for every option that the master sends, with each message that
    changes the number of users (runners.py, WorkerRunner.handle_message). That holds up
    a worker's load for half a second and more.
    """
    if not hasattr(argument_parser.default_args_dict, "cache_info"):
        argument_parser.default_args_dict = cache(argument_parser.default_args_dict)
    argument_parser.default_args_dict()


def before_parsing(parser: Any, act: Callable[[], None]) -> None:
    """Do it once, when this parser is about to parse, after every listener has been called.

    Locust fires `init_command_line_parser` in the order of registration, and swallows what
    a listener raises (argument_parser.py, get_parser; event.py, fire).
    """
    parse = parser.parse_known_args

    def act_and_parse(*arguments: Any, **options: Any) -> Any:
        parser.parse_known_args = parse
        act()
        return parse(*arguments, **options)

    parser.parse_known_args = act_and_parse


def argument_listeners() -> list[Callable[..., Any]]:
    """Everybody's listeners that add arguments to Locust's command (event.py)."""
    return list(events.init_command_line_parser._handlers)
