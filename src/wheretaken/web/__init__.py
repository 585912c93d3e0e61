"""The browser application: photos in, runs to watch, recorded runs to look at again. Only `cli` imports it.

- `jobs` is what a user asked for, as a file; `desk` runs jobs in their turn; `solving` makes their runs
- `records` finds the logs of runs, those of jobs and those of evaluations that were named at the start
- `drafts` is what models are writing right now
- `stream` sends events while they happen, and goes on where a lost connection broke off
- `app` puts routes, the built page (`static`, made from the sources in `web/`) and the guard together
"""
