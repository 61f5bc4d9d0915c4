"""Figures for Prometheus: counts and times only, no names of places or people."""

from __future__ import annotations

from collections import Counter as Counts
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from hub.model.reading import Quality
from hub.model.time import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from hub.model.entry import Entry
    from hub.model.execution import Clock
    from hub.model.reading import State


class Metrics:
    """Counts what is committed, in a registry of its own."""

    def __init__(
        self,
        clock: Clock,
        messages: Callable[[], Mapping[tuple[str, str], int]],
        states: Callable[[], Iterable[State]] = tuple,
        problems: Callable[[], int] = int,
        waiting: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        own = self._registry
        self._readings = Counter("menshen_readings", "Readings committed", registry=own)
        self._decisions = Counter("menshen_decisions", "Decisions committed", ["kind"], registry=own)
        self._outcomes = Counter("menshen_command_outcomes", "What became of commands", ["status"], registry=own)
        self._batch = Histogram(
            "menshen_batch_seconds",
            "From taking a batch in to its commit",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=own,
        )
        self.ready = Gauge("menshen_ready", "1 when rules are loaded and the journal is writable", registry=own)
        self._registry.register(_Messages(messages))
        self._registry.register(_Present(states, problems, waiting))
        ProcessCollector(registry=own)

    def committed(self, entry: Entry) -> None:
        """Count a committed entry."""
        self._readings.inc(len(entry.readings))
        for decision in entry.decisions:
            self._decisions.labels(str(decision.__struct_config__.tag)).inc()
        for outcome in entry.outcomes:
            self._outcomes.labels(outcome.status).inc()
        self._batch.observe((self._clock.now() - entry.at) / SECOND)

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self._registry)


class _Messages(Collector):
    """Messages by integration and result, read from the intake at each scrape."""

    def __init__(self, messages: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        self._messages = messages

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily("menshen_messages", "Messages taken in", labels=["integration", "result"])
        for labels, count in sorted(self._messages().items()):
            family.add_metric(list(labels), count)
        yield family


class _Present(Collector):
    """What is known and what is wrong now, looked up at each scrape."""

    def __init__(
        self,
        states: Callable[[], Iterable[State]],
        problems: Callable[[], int],
        waiting: Callable[[], Mapping[str, int]],
    ) -> None:
        self._states = states
        self._problems = problems
        self._waiting = waiting

    def collect(self) -> Iterator[Metric]:
        entities = GaugeMetricFamily("menshen_entities", "Entities by quality of their value", labels=["quality"])
        counted = Counts(state.quality for state in self._states())
        for quality in Quality:
            entities.add_metric([quality], counted[quality])
        yield entities
        yield GaugeMetricFamily("menshen_problems", "Sentences in the banner of the page", value=self._problems())
        queues = GaugeMetricFamily(
            "menshen_waiting",
            "Inputs not decided yet, batches not on the disk, topics that the broker has not confirmed",
            labels=["queue"],
        )
        for queue, length in self._waiting().items():
            queues.add_metric([queue], length)
        yield queues
