"""The environment as verl drives it, through verl's own points of extension: nothing of verl is patched.

- `tool`: one class for every tool; `schema` keeps what a model is told of it whole
- `loop`: verl's agent loop, with the episode behind its calls and the end of the rollout for the reward
- `reward`: the reward as verl calls it; `advantage` leaves out what a service's failure spoilt
- `dataset`: rows whose pictures are files, opened as the agent loop opens them
- `overrides` turns settings into verl's, `checks` looks at everything before GPUs are taken, `launch` starts
  or submits, `driver` is the process that verl's trainer begins in, `shards` puts checkpoints together
- `shared` is what one process of verl's has in common

Modules of this part import verl; nothing else of the package imports them at its top.
"""
