import pytest

from nameplate.campaign.experiment import TrainingSettings
from nameplate_training.schedule import rate_at


def test_one_cycle_rises_to_the_peak_and_falls_to_almost_nothing() -> None:
    training = TrainingSettings(rate=0.01, schedule="one_cycle", epochs=1)
    rates = [rate_at(training, step, 101) for step in range(101)]
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[30] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(1e-6)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_few_steps_stays_within_bounds(steps: int) -> None:
    training = TrainingSettings(rate=0.01, schedule="one_cycle", epochs=1)
    assert all(0 < rate_at(training, step, steps) <= 0.01 for step in range(steps))


def test_constant() -> None:
    training = TrainingSettings(rate=5e-5, epochs=1)
    assert {rate_at(training, step, 9) for step in range(9)} == {5e-5}
