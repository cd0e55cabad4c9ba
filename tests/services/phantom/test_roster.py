"""Heads, manufacturers and shards: every study once, twins together."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate_phantom.roster import head_number, manufacturer_of, studies_of_shard, study_folder

MAKERS = ("GE", "Siemens", "Philips", "Canon")


@st.composite
def cohorts(draw: st.DrawFn) -> PhantomSettings:
    twins = draw(st.booleans())
    makers = MAKERS[: draw(st.integers(2 if twins else 1, 4))]
    sets = draw(st.integers(1, 30))
    return PhantomSettings(exams=sets * len(makers), manufacturers=makers, twins=twins)


@given(cohorts())
def test_every_head_is_scanned_as_often_as_it_must_be(settings: PhantomSettings) -> None:
    seen = [
        (head_number(settings, number), manufacturer_of(settings, number)) for number in range(settings.exams)
    ]
    heads = Counter(head for head, _ in seen)
    assert len(set(seen)) == settings.exams
    assert set(heads.values()) == {len(settings.manufacturers) if settings.twins else 1}
    assert sorted(heads) == list(range(len(heads)))
    assert len(set(Counter(maker for _, maker in seen).values())) == 1


@given(cohorts(), st.integers(1, 9))
def test_shards_hold_every_study_once_and_twins_together(settings: PhantomSettings, shards: int) -> None:
    dealt = [studies_of_shard(settings, shard=shard, shards=shards) for shard in range(shards)]
    assert sorted(number for numbers in dealt for number in numbers) == list(range(settings.exams))
    heads = [{head_number(settings, number) for number in numbers} for numbers in dealt]
    assert sum(map(len, heads)) == len(set.union(*heads))
    # Dealt in turn, no shard has more than one head more than another.
    assert max(map(len, heads)) - min(map(len, heads)) <= 1


@given(cohorts())
def test_no_two_studies_share_a_folder_and_patients_have_one_each(settings: PhantomSettings) -> None:
    folders = [study_folder(settings, number) for number in range(settings.exams)]
    assert len(set(folders)) == settings.exams
    patients = {
        (folder.split("/")[0], head_number(settings, number)) for number, folder in enumerate(folders)
    }
    assert len(patients) == len({head for _, head in patients}) == len({name for name, _ in patients})
