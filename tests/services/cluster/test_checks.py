import pytest

from nameplate_cluster.checks import claim_trouble
from nameplate_cluster.client import Json


@pytest.mark.parametrize(
    ("claim", "trouble"),
    [
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound"}}, ""),
        ({"spec": {"accessModes": ["ReadOnlyMany"]}, "status": {"phase": "Pending"}}, ""),
        ({"spec": {"accessModes": ["ReadWriteOnce"]}}, ""),
        ({"spec": {"accessModes": ["ReadWriteOncePod"]}}, "one pod at a time"),
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Lost"}}, "lost its volume"),
    ],
)
def test_a_claim_that_several_pods_cannot_mount(claim: Json, trouble: str) -> None:
    assert trouble in claim_trouble(claim)
    assert bool(trouble) == bool(claim_trouble(claim))
