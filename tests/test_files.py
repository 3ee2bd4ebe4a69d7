"""A file is there whole or not at all, and a folder belongs to one process at a time."""

import os
import subprocess
import sys

import pytest

from minialexnet.errors import InputError, reading
from minialexnet.files import alone, synced, whole


@pytest.fixture
def path(tmp_path):
    (tmp_path / "notes").write_bytes(b"old")
    return tmp_path / "notes"


def names(path):
    return [inside.name for inside in path.parent.iterdir()]


def test_what_is_written_replaces_what_was_there_at_the_end(path):
    with whole(path) as file:
        file.write(b"new and longer")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new and longer"
    assert names(path) == ["notes"]


def test_a_block_that_fails_leaves_all_as_it_was(path):
    with pytest.raises(RuntimeError, match="halfway"), whole(path) as file:
        file.write(b"new")
        raise RuntimeError("halfway")
    assert path.read_bytes() == b"old"
    assert names(path) == ["notes"]


def test_an_interrupted_block_leaves_all_as_it_was(path):
    with pytest.raises(KeyboardInterrupt), whole(path) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert names(path) == ["notes"]


def test_a_file_that_cannot_be_made_is_named(tmp_path):
    path = tmp_path / "missing" / "notes"
    with pytest.raises(FileNotFoundError) as caught, whole(path):
        pass
    assert caught.value.filename == str(path)
    (tmp_path / "missing").write_bytes(b"a file")
    with pytest.raises(NotADirectoryError), whole(path):
        pass
    assert names(tmp_path / "missing") == ["missing"]


def test_what_a_killed_process_left_behind_is_removed(path):
    (path.parent / ".notes.12345").write_bytes(b"half")
    (path.parent / ".other.12345").write_bytes(b"half")
    with whole(path) as file:
        file.write(b"new")
    assert sorted(names(path)) == [".other.12345", "notes"]


# ---------------------------------------------------------------- alone


def test_a_folder_belongs_to_one_at_a_time(tmp_path):
    for _ in range(2):
        with alone(tmp_path, "painting"):
            with pytest.raises(InputError) as caught, alone(tmp_path, "painting"):
                pytest.fail("two are in there")
            assert str(caught.value) == f"{tmp_path}: another process is painting here"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_free_again_after_a_failure(tmp_path):
    with pytest.raises(KeyboardInterrupt), alone(tmp_path, "painting"):
        raise KeyboardInterrupt
    with alone(tmp_path, "painting"):
        pass


def test_a_process_that_is_killed_leaves_a_folder_free(tmp_path):
    code = (
        "import sys, time; from minialexnet.files import alone\n"
        "with alone(sys.argv[1], 'painting'): print('in', flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "in\n"
            with pytest.raises(InputError, match="another process is"), alone(tmp_path, "painting"):
                pytest.fail("two are in there")
        finally:
            process.kill()
    with alone(tmp_path, "painting"):
        pass


def test_a_folder_stays_ones_own_while_it_is_renamed(tmp_path):
    (tmp_path / "draft").mkdir()
    with alone(tmp_path / "draft", "painting"):
        (tmp_path / "draft").rename(tmp_path / "picture")
        with pytest.raises(InputError), alone(tmp_path / "picture", "painting"):
            pytest.fail("two are in there")


# ---------------------------------------------------------------- the disk


def test_files_and_folders_are_waited_for_and_closed(path, monkeypatch):
    waited = []
    monkeypatch.setattr(os, "fsync", waited.append)
    synced(path)
    synced(path.parent)
    assert len(waited) == 2
    for descriptor in waited:
        with pytest.raises(OSError):
            os.fstat(descriptor)
    with pytest.raises(FileNotFoundError):
        synced(path.parent / "missing")


# ---------------------------------------------------------------- what parsers raise


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("two\n lines"), "x.tar: broken archive: two lines"),
        (RecursionError(), "x.tar: broken archive: RecursionError"),
        (OSError(5, "Input/output error"), "x.tar: broken archive: [Errno 5] Input/output error"),
        (InputError("y: something else"), "y: something else"),
    ],
)
def test_what_a_parser_raises_becomes_a_line(error, said):
    with pytest.raises(InputError) as caught, reading("x.tar: broken archive"):
        raise error
    assert str(caught.value) == said


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_not_the_files_fault_stays_what_it_is(error):
    with pytest.raises(error), reading("x.tar: broken archive"):
        raise error
