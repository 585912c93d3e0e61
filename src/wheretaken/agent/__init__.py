"""The agent: prompts, limits, the loop, its events, and the trajectory it leaves."""

from wheretaken.agent.events import Delta, Event, Limits, PhotoInfo, Status, StopReason
from wheretaken.agent.loop import Case, run
from wheretaken.agent.record import record
from wheretaken.agent.trajectory import Recorder, Trajectory, read, read_log

__all__ = [
    "Case",
    "Delta",
    "Event",
    "Limits",
    "PhotoInfo",
    "Recorder",
    "Status",
    "StopReason",
    "Trajectory",
    "read",
    "read_log",
    "record",
    "run",
]
