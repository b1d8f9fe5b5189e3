"""Choices by two costs."""

from seaway.reporting.front_chart import Point, front


def test_points_on_one_spot_share_one_label_and_others_have_their_own() -> None:
    points = [Point("a", 0.2885, 0.0348, True), Point("b", 0.1075, 0.043, True), Point("c", 0.2886, 0.0341, True)]
    drawn = str(front(points, "size, MB", "latency, ms", "three choices"))
    assert drawn.count(">1, 3<") == drawn.count(">2<") == 2  # wide and narrow
    assert ">3<" not in drawn
