"""Agentic reinforcement learning: one environment and one reward, driven by TRL or by verl.

- `settings` is the file that `train export` writes and the engines read; `presets` are recipes for it
- `reward` scores what a rollout ended with, from its last words only
- `toolbox` are the tools, in this process or of a tool server; `episode` is one rollout's side of them
- `export` makes a directory for training out of a data set; `difficulty` chooses what is worth training on
- `weights` makes a checkpoint of either engine into a directory that servers load
- `records` keeps rollouts as trajectories and numbers beside them; `inspect` draws the curves
- `trl` and `verl` plug this into the two engines

Everything but `trl` and `verl` works without them and without torch. Truth is in the rows that the reward
reads, and nowhere else.
"""
