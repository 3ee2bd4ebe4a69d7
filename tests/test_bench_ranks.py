"""The planning table is its formula, and the measurement of ranks runs."""

import json

import mpi
import pytest

from minialexnet.__main__ import main
from minialexnet.bench import scale
from minialexnet.bench.ranks import table
from minialexnet.bench.scale import LINKS, PUBLISHED, Link, fitting_bandwidth, planned, speed_up


def test_one_processor_is_as_fast_as_one():
    assert all(speed_up(0.1, 10**9, link, 1) == 1 for link in LINKS)


def test_the_formula_by_hand():
    # 0.1 s of work, then 1.5 times 100 MB at 1 GB/s, and 6 messages of 1 ms.
    link = Link("by hand", 1e9, 1e-3)
    assert speed_up(0.1, 10**8, link, 4) == pytest.approx(4 * 0.1 / (0.1 + 0.15 + 0.006))


def test_the_fitting_bandwidth_gives_the_speed_up_back():
    for one in (one for one in PUBLISHED if one.alone):
        step, times = one.batch / one.alone, one.together / one.alone
        link = Link("fitting", fitting_bandwidth(step, 244 * 10**6, one.processors, times), 0.0)
        assert speed_up(step, 244 * 10**6, link, one.processors) == pytest.approx(times)


def test_published_points_are_those_of_the_sources():
    assert pytest.approx(326.7, abs=0.1) == scale.K20
    k20, *_, eleven, four = PUBLISHED
    assert k20.together / k20.alone == 6.25
    assert eleven.together == pytest.approx(194_116, abs=1)
    assert four.together == pytest.approx(507_129, abs=1)


def test_the_plan_has_a_number_for_every_link_and_power_of_two():
    result = planned(1000, 100, 10**8)
    assert result["step"] == 0.1
    assert list(result["speed_ups"]) == [link.name for link in LINKS]
    for row in result["speed_ups"].values():
        assert list(row) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


def test_the_table_from_the_command_line(capsys, tmp_path):
    words = ["bench", "--scale", "--images-per-s", "10187", "--json", str(tmp_path / "plan")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "10,187.0 images/s, 128 images in a step of 12.6 ms; 243.9 MB of gradients" in said
    assert "8 K20s, one weird trick" in said
    plan = json.loads((tmp_path / "plan").read_text())
    assert plan["speed_ups"]["NVLink of an H100"]["8"] == pytest.approx(7.39, abs=0.1)


def test_the_step_is_measured_where_no_speed_is_given(capsys):
    words = ["bench", "--scale", "--network", "mini", "--batch", "8", "--rounds", "1"]
    assert main([*words, "--steps", "1"]) == 0
    assert "one processor: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--images-per-s", "5"], "--images-per-s should be above 0 and come with --scale, got 5"),
        (["--scale", "--images-per-s", "0"], "--images-per-s should be above 0"),
        (["--scale", "--images-per-s", "nan"], "--images-per-s should be above 0"),
        (["--ranks", "1"], "--ranks should be 2 or more, for training, got 1"),
        (["--ranks", "2", "--task", "predict"], "--ranks should be 2 or more, for training"),
    ],
)
def test_wrong_words_are_refused(words, expected, capsys):
    assert main(["bench", *words]) == 2
    said = capsys.readouterr().err
    assert expected in said
    assert len(said.splitlines()) == 1


def test_without_mpi_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["bench", "--ranks", "2", "--threads", "2", "--network", "mini"]) == 2
    assert "--ranks needs MPI" in capsys.readouterr().err


@mpi.needs_mpi
def test_ranks_are_measured_against_one(tmp_path, capsys):
    path = tmp_path / "found"
    words = ["--network", "mini", "--batch", "16", "--threads", "2", "--rounds", "2"]
    assert main(["bench", "--ranks", "2", *words, "--json", str(path)]) == 0
    said = capsys.readouterr().out
    found = json.loads(path.read_text())
    assert len(found["one"]) == len(found["many"]) == 2
    assert all("communication" in step for step in found["many"])
    assert not any("communication" in step for step in found["one"])
    ratio = found["ratio"]
    assert ratio["lowest"] <= ratio["median"] <= ratio["highest"]
    assert 0 < found["communication"] < 1
    assert said.strip() == table(found)


def test_the_towers_of_a_network_are_described(capsys):
    assert main(["describe", "alexnet", "--batch", "128", "--towers"]) == 0
    said = capsys.readouterr().out
    lines = {line.split()[0]: line.split()[-2:] for line in said.splitlines() if line}
    assert lines["conv3"] == ["11.076", "11.076"]
    assert lines["softmax"] == ["0.256", "0.000"]
    # By hand: 9.35 MB of gradients of convolutions; 2 x 64 x 9216 features of 4 bytes; fc7, fc8
    # and the scores as with two towers.
    assert "one weird trick" in said
    trick = float(next(x for x in said.splitlines() if x.startswith("one weird")).split()[3])
    convolutions = 4 * (34_944 + 307_456 + 885_120 + 663_936 + 442_624)
    features = 2 * 64 * 9216 * 4
    above = 128 * 4 * (4 * 2048 + 500)
    assert trick == pytest.approx((convolutions + features + above) / 1e6, abs=0.001)
