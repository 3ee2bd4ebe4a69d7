"""What many tests start from."""

import os
import shutil

import pytest
import tiny

from minialexnet.__main__ import main


def pytest_addoption(parser):
    parser.addoption(
        "--student", metavar="FILE", help="check the exercises of this file (-m exercise_relu)"
    )


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    """A prepared data set of 24 + 12 pictures of 32 x 32 pixels, in three classes."""
    return tiny.prepared(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="session")
def finished_run(data_folder, tmp_path_factory):
    """The folder of a run of two epochs that reached its end; not to be written to."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    options = ["--epochs", "2", "--batch", "8", "--rate", "0.01"]
    assert main(["train", "--data", str(data_folder), "--out", str(folder), *options]) == 0
    return folder


@pytest.fixture
def run_copy(finished_run, tmp_path):
    """A copy of that run to do anything with."""
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture
def at_once(monkeypatch):
    """Nothing waits for the disk, which matters to those alone whose power fails."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
