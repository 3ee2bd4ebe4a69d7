"""CIFAR-10 from small archives made here, in the official layout, from disk and from a server."""

import errno
import hashlib
import io
import os
import pickle
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest

from minialexnet.data import cifar10
from minialexnet.data.cifar10 import cifar10_folder, prepare_cifar10
from minialexnet.errors import InputError

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
BATCHES = [f"data_batch_{i}.bin" for i in range(1, 6)]


def records(count, seed):
    """Labels, images and what the official files hold for them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    images = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
    content = b"".join(
        bytes([label]) + b"".join(image[:, :, c].tobytes() for c in range(3))
        for label, image in zip(labels, images, strict=True)
    )
    return labels, images, content


@pytest.fixture
def files():
    """Two pictures in each training file, three in the test file."""
    named = {name: records(2, seed)[2] for seed, name in enumerate(BATCHES, start=1)}
    return named | {
        "test_batch.bin": records(3, 6)[2],
        "batches.meta.txt": ("\n".join(CLASSES) + "\n\n").encode(),
        "readme.html": b"<html>",
    }


def archive(path, files, folder="cifar-10-batches-bin"):
    """The archive on disk, and its checksum."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path, hashlib.md5(path.read_bytes()).hexdigest()


def unpacked(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def check(data):
    train = [records(2, seed) for seed in range(1, 6)]
    assert data.train.labels.tolist() == np.concatenate([t[0] for t in train]).tolist()
    assert np.array_equal(data.train.images, np.concatenate([t[1] for t in train]))
    assert data.test.labels.tolist() == records(3, 6)[0].tolist()
    assert np.array_equal(data.test.images, records(3, 6)[1])
    assert data.classes == CLASSES


def refusal(tmp_path, *args, **options):
    with pytest.raises(InputError) as caught:
        prepare_cifar10(tmp_path / "out", *args, **options)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*")), "something was left on the disk"
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- from disk


def test_archive(tmp_path, files):
    path, md5 = archive(tmp_path / "a.tar.gz", files)
    data = prepare_cifar10(tmp_path / "out", path, md5=md5)
    check(data)
    assert "CIFAR-10" in data.source
    assert np.array_equal(data.mean, data.train.images.mean(axis=0).astype(np.float32))
    assert isinstance(data.train.images, np.memmap)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar.gz", "out"]


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-bin"])
def test_unpacked_folder(tmp_path, files, inner):
    unpacked(tmp_path / "here" / inner, files)
    check(prepare_cifar10(tmp_path / "out", tmp_path / "here"))


def test_other_class_names(tmp_path, files):
    files["batches.meta.txt"] = b"a b c d e f g h i j"
    data = prepare_cifar10(tmp_path / "out", unpacked(tmp_path / "here", files))
    assert data.classes == tuple("abcdefghij")


def test_without_class_names_the_known_ones_are_taken(tmp_path, files):
    del files["batches.meta.txt"]
    check(prepare_cifar10(tmp_path / "out", unpacked(tmp_path / "here", files)))


def test_no_source(tmp_path):
    message = f"{tmp_path / 'no.tar.gz'}: no such file or folder"
    assert refusal(tmp_path, tmp_path / "no.tar.gz") == message


def test_wrong_checksum(tmp_path, files):
    path, md5 = archive(tmp_path / "a.tar.gz", files)
    assert refusal(tmp_path, path).startswith(
        f"{path}: expected checksum md5 c32a1d4ab5d03f1284b67883e8d87530, got {md5}; "
    )


def test_python_version_by_its_checksum(tmp_path, files, monkeypatch):
    path, md5 = archive(tmp_path / "a.tar.gz", {"anything": b""})
    monkeypatch.setattr(cifar10, "PYTHON_MD5", md5)
    assert f"{path}: the Python version of CIFAR-10" in refusal(tmp_path, path)


class Trap:
    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize("kind", ["archive", "folder", "outer folder"])
def test_python_version_is_never_unpickled(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    pickles = {"data_batch_1": pickle.dumps(Trap()), "batches.meta": pickle.dumps(Trap())}
    if kind == "archive":
        source, md5 = archive(tmp_path / "a.tar.gz", pickles, "cifar-10-batches-py")
    else:
        source, md5 = unpacked(tmp_path / "here" / "cifar-10-batches-py", pickles), ""
    if kind == "outer folder":
        source = source.parent
    assert refusal(tmp_path, source, md5=md5) == (
        f"{source}: the Python version of CIFAR-10, whose pickles are not opened here; expected "
        "the binary version, https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    )
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", [*BATCHES, "test_batch.bin"])
def test_missing_file(tmp_path, files, name):
    del files[name]
    path, md5 = archive(tmp_path / "a.tar.gz", files)
    assert refusal(tmp_path, path, md5=md5) == f"{path}: {name} is missing"


def test_a_link_in_the_archive_is_no_file(tmp_path, files):
    del files["test_batch.bin"]
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        member = tarfile.TarInfo("test_batch.bin")
        member.type, member.linkname = tarfile.SYMTYPE, "data_batch_1.bin"
        tar.addfile(member)
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    assert refusal(tmp_path, path, md5=md5) == f"{path}: test_batch.bin is missing"


@pytest.mark.parametrize(("change", "size"), [(-1, 6145), (1, 6147), (-6146, 0)])
def test_broken_records(tmp_path, files, change, size):
    files["data_batch_3.bin"] = (files["data_batch_3.bin"] + b"\0")[: 6146 + change]
    source = unpacked(tmp_path / "here", files)
    assert refusal(tmp_path, source) == (
        f"{source}: expected records of 3073 bytes in data_batch_3.bin, got {size} bytes"
    )


def test_label_above_nine(tmp_path, files):
    files["test_batch.bin"] = b"\x0a" + files["test_batch.bin"][1:]
    source = unpacked(tmp_path / "here", files)
    message = f"{source}: expected labels 0 ... 9 in test_batch.bin, got 10"
    assert refusal(tmp_path, source) == message


def test_class_names_that_are_not_ten(tmp_path, files):
    files["batches.meta.txt"] = b"cat dog \xff"
    source = unpacked(tmp_path / "here", files)
    message = f"{source}: expected ten class names in batches.meta.txt, got 3"
    assert refusal(tmp_path, source) == message


@pytest.mark.parametrize("damage", ["cut", "no tar", "no gzip"])
def test_broken_archive(tmp_path, files, damage):
    path, _ = archive(tmp_path / "a.tar.gz", files)
    content = path.read_bytes()
    path.write_bytes(
        {"cut": content[: len(content) // 2], "no tar": b"hello", "no gzip": content[:10]}[damage]
    )
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    assert refusal(tmp_path, path, md5=md5).startswith(f"{path}: broken archive: ")


def test_the_place_is_checked_first(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match="out already holds files"):
        prepare_cifar10(tmp_path / "out", url="http://127.0.0.1:9/never-asked")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "all of it"


# ---------------------------------------------------------------- from a server


class Quiet(SimpleHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Quiet.asked += 1
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder, and the address it is served at; downloads are kept in another folder."""
    monkeypatch.setenv("MINIALEXNET_DATA", str(tmp_path / "cache"))
    (tmp_path / "served").mkdir()
    handler = partial(Quiet, directory=tmp_path / "served")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield tmp_path / "served", f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_download_and_keep(tmp_path, files, server, monkeypatch):
    folder, url = server
    _, md5 = archive(folder / "c.tar.gz", files)
    monkeypatch.setattr(Quiet, "asked", 0)
    check(prepare_cifar10(cifar10_folder(), url=f"{url}/c.tar.gz", md5=md5))
    check(prepare_cifar10(tmp_path / "again", url=f"{url}/c.tar.gz", md5=md5))
    assert Quiet.asked == 1, "the second time the archive was at hand"
    cached = sorted(p.name for p in (tmp_path / "cache").iterdir())
    assert cached == ["cifar-10-binary.tar.gz", "cifar10"]


def test_download_with_a_wrong_checksum(tmp_path, files, server):
    folder, url = server
    _, md5 = archive(folder / "c.tar.gz", files)
    message = refusal(tmp_path, url=f"{url}/c.tar.gz", md5="0" * 32)
    assert message.startswith(f"{url}/c.tar.gz: ")
    assert f"got: {md5}" in message or f"got {md5}" in message
    assert "0" * 32 in message
    assert not any((tmp_path / "cache").iterdir())


def test_a_wrong_archive_in_the_cache_is_replaced(tmp_path, files, server):
    folder, url = server
    _, md5 = archive(folder / "c.tar.gz", files)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cifar-10-binary.tar.gz").write_bytes(b"half of it")
    check(prepare_cifar10(tmp_path / "out", url=f"{url}/c.tar.gz", md5=md5))


def test_download_of_what_is_not_there(tmp_path, server):
    _, url = server
    message = refusal(tmp_path, url=f"{url}/c.tar.gz")
    assert message == f"{url}/c.tar.gz: the server answers 404 File not found"
    assert not any((tmp_path / "cache").iterdir())


def test_no_connection(tmp_path, server):
    # Port 9 of this machine: nobody listens.
    assert refusal(tmp_path, url="http://127.0.0.1:9/c.tar.gz") == (
        "http://127.0.0.1:9/c.tar.gz: no connection (ConnectionError); "
        "with the archive at hand, name it as the source"
    )
    assert not any((tmp_path / "cache").iterdir())


def test_an_address_that_is_none(tmp_path, server):
    assert refusal(tmp_path, url="gopher://c.tar.gz").startswith("gopher://c.tar.gz: ")


def test_a_cache_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MINIALEXNET_DATA", str(tmp_path / "file"))
    message = refusal(tmp_path, url="http://127.0.0.1:9/c.tar.gz")
    assert message.startswith(f"{tmp_path / 'file'}: cannot keep the download: ")


def test_a_full_disk_leaves_nothing(tmp_path, files, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = unpacked(tmp_path / "here", files)
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    assert refusal(tmp_path, source).endswith("GB: No space left on device")


def test_where_it_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIALEXNET_DATA", str(tmp_path))
    assert cifar10_folder() == tmp_path / "cifar10"
    monkeypatch.setenv("MINIALEXNET_DATA", "")
    assert cifar10_folder() == pooch.os_cache("minialexnet") / "cifar10"
    monkeypatch.delenv("MINIALEXNET_DATA")
    assert cifar10_folder() == pooch.os_cache("minialexnet") / "cifar10"
