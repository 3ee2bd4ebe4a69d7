"""A file is there whole or not at all."""

import pytest

from minialexnet.files import whole


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
