from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wheretaken.maps.web.breaker import Breaker, BreakerState


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, a breaker keeps to its drawing."""

    @initialize(failures=st.integers(1, 4), cooldown=st.floats(1, 60))
    def begin(self, failures: int, cooldown: float) -> None:
        self.limit, self.cooldown = failures, cooldown
        self.breaker = Breaker(failures, cooldown)
        self.now = self.failed_at = 0.0
        self.in_a_row = 0
        self.let_in = 0
        self.trial = False

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def ask(self) -> None:
        state = self.breaker.state(self.now)
        admitted = self.breaker.admit(self.now)
        if state is BreakerState.HALF_OPEN:
            assert admitted != self.trial
            self.trial = self.trial or admitted
        else:
            assert admitted == (state is BreakerState.CLOSED)
        self.let_in += admitted

    @precondition(lambda self: self.let_in)
    @rule(how=st.sampled_from(["succeeded", "failed", "gave_up"]))
    def finish(self, how: str) -> None:
        self.let_in -= 1
        self.trial = False
        if how == "failed":
            self.breaker.failed(self.now)
            self.in_a_row += 1
            self.failed_at = self.now
        else:
            getattr(self.breaker, how)()
            self.in_a_row = 0 if how == "succeeded" else self.in_a_row

    @invariant()
    def follows_the_drawing(self) -> None:
        if not hasattr(self, "breaker"):
            return
        over = self.now - self.failed_at >= self.cooldown
        if self.in_a_row < self.limit:
            expected = BreakerState.CLOSED
        else:
            expected = BreakerState.HALF_OPEN if over else BreakerState.OPEN
        near = abs(self.now - self.failed_at - self.cooldown) < 1e-6
        assert self.breaker.state(self.now) is expected or near
        assert (self.breaker.retry_after(self.now) > 0) == (self.breaker.state(self.now) is BreakerState.OPEN)


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=40, deadline=None)
