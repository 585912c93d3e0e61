"""Training on one machine with TRL: GRPO, and a warm start from experts' runs.

- `training` checks everything that can be checked before a model is loaded, then trains, evaluates, resumes
- `checks` are those checks
- `trainer` is TRL's trainer with our tools, reward and records in it
- `rollout` is one rollout of it; `rows` are the photos
- `sft` is the warm start
- `weights` are the models that it can be done with
- `versions` says which libraries are needed; `libraries` imports them, and takes seconds for it

Tools run as in the agent loop, for all rollouts of a batch at the same time. TRL generates turn by turn for
the whole batch: the slowest call of a turn is waited for, and no longer than its deadline.
"""
