from nameplate_evaluation.departures import departures_of


def test_smaller_demo_departs_in_size_and_keeps_the_task(complete):
    rows = {row.setting: row for row in departures_of(complete.campaign)}
    assert rows["spheres: channels"].differs
    assert rows["spheres: channels"].here == "16, 32, 64, 128"
    assert rows["main: exams from"].here == "simulated heads, signature 1"
    assert rows["main: slice distance, mm"].here == "9"
    spheres = [f"spheres, {difficulty}" for difficulty in ("easy", "medium", "hard")]
    for same in (*spheres, "naming: groups", "spheres: dense layer, units"):
        assert not rows[same].differs, rows[same]
