"""Makes the platform and the rollout known; imported at the end of verl's own import."""

from __future__ import annotations

from wheretaken.testing.verl_cpu import ROLLOUT, platform, rollout

platform.register()
rollout.register(ROLLOUT)
