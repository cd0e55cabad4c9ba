import pytest

from nameplate.errors import UserError
from nameplate.steps.cell import Arm
from nameplate_cluster.pools import Pool, pool_of

SPHERES = Pool(name="spheres", experiments=("spheres",))
SIEMENS = Pool(name="siemens", training_sets=("Siemens",))
REST = Pool(name="rest")


def test_a_pool_that_names_an_arm_goes_before_one_that_takes_everything() -> None:
    for pools in ((REST, SPHERES, SIEMENS), (SPHERES, SIEMENS, REST)):
        assert pool_of(Arm(experiment="spheres", training_set="GE"), pools) is SPHERES
        assert pool_of(Arm(experiment="skull", training_set="Siemens"), pools) is SIEMENS
        assert pool_of(Arm(experiment="skull", training_set="GE"), pools) is REST


def test_an_arm_that_two_pools_name_is_refused() -> None:
    arm = Arm(experiment="spheres", training_set="Siemens")
    with pytest.raises(
        UserError, match="2 pools take the runs of spheres on Siemens: spheres, siemens; name"
    ):
        pool_of(arm, (SPHERES, SIEMENS, REST))
    both = Pool(name="both", experiments=("spheres",), training_sets=("Siemens",))
    assert pool_of(arm, (both, REST)) is both


def test_an_arm_that_no_pool_takes_is_refused() -> None:
    with pytest.raises(UserError, match="no pool takes the runs of skull on GE: the pools are spheres"):
        pool_of(Arm(experiment="skull", training_set="GE"), (SPHERES,))
