"""Running a model over a data set, so that a kill at any moment loses nothing and repeats nothing.

A directory of such a run is a directory of runs (`agent.trajectory`) with

- `config.json`: what was run, resolved; written before the first run, so that without it nothing was run;
- `data.jsonl`: the manifest, a line for each row of the set, in its order: the denominator of every metric;
- `results.jsonl`: a line for each row that is done, in the order in which they were;
- `events/abandoned/`: the logs of runs that were killed and done again.

`trajectories.jsonl` is what counts: a run in it is never done again, and `results.jsonl` follows from it and
the manifest. A run is named by the photo's content and its seed, so that it is recognised whatever row it
stands in; equal photos are run once and scored for every row that has them.

`settings` says what is run, `manifest` over what, `ledger` which runs are finished, `verdict` what follows
from them, and `runner` does the rest.
"""

from wheretaken.evals.running.manifest import Entry
from wheretaken.evals.running.runner import Progress, Summary, run
from wheretaken.evals.running.settings import Settings

__all__ = ["Entry", "Progress", "Settings", "Summary", "run"]
