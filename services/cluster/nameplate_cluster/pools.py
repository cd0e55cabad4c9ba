"""Pools of nodes: where the runs of an experiment or of a training set are trained."""

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from nameplate.campaign.settings import Settings
from nameplate.errors import UserError
from nameplate.steps.cell import Arm


class Pool(Settings):
    """One pool; an empty list takes everything."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    experiments: tuple[str, ...] = ()
    training_sets: tuple[str, ...] = ()

    def takes(self, arm: Arm) -> bool:
        """Whether the runs of this arm may be trained here."""
        return (not self.experiments or arm.experiment in self.experiments) and (
            not self.training_sets or arm.training_set in self.training_sets
        )


def read_pools(path: Path) -> tuple[Pool, ...]:
    """The pools of a file: a list; ``pool_of`` says which one an arm gets."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        pools = tuple(
            Pool(
                name=item["name"],
                experiments=tuple(item.get("experiments") or ()),
                training_sets=tuple(item.get("training_sets") or ()),
            )
            for item in raw
        )
    except (OSError, yaml.YAMLError, ValidationError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: expected a list of pools ({type(error).__name__})") from error
    if not pools or len({pool.name for pool in pools}) != len(pools):
        raise UserError(f"{path}: expected at least one pool, each with its own name")
    return pools


def pool_of(arm: Arm, pools: tuple[Pool, ...]) -> Pool:
    """The pool of an arm: the one that names it, or one that takes everything.

    UserError when none takes it, or two pools name it: which one it got would depend on their order.
    """
    naming = [pool for pool in pools if pool.takes(arm) and (pool.experiments or pool.training_sets)]
    if len(naming) > 1:
        raise UserError(
            f"{len(naming)} pools take the runs of {arm.experiment} on {arm.training_set}: "
            f"{', '.join(pool.name for pool in naming)}; name them in one (pools.<name>.experiments and "
            ".trainingSets in the chart's values)"
        )
    for pool in [*naming, *pools]:
        if pool.takes(arm):
            return pool
    raise UserError(
        f"no pool takes the runs of {arm.experiment} on {arm.training_set}: "
        f"the pools are {', '.join(pool.name for pool in pools)}; add one without restrictions"
    )
