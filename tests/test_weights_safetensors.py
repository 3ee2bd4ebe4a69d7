"""The .safetensors format: read back as written, and every byte of a wrong file refused."""

import json

import numpy as np
import pytest

from minialexnet.errors import InputError
from minialexnet.weights import files, safetensors


def random(shape, dtype="f4"):
    return (100 * np.random.default_rng(0).standard_normal(shape)).astype(dtype)


def file(path, header, numbers=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    return path


def entry(dtype, shape, start, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_what_is_written_is_read(tmp_path):
    whole = random((4, 6))
    tensors = {
        "plain": whole,
        "transposed": whole.T,
        "part": whole[::-1, 1::2],
        "broadcast": np.broadcast_to(whole[0], (3, 6)),
        "scalar": np.float32(2.5)[()].reshape(()),
        "empty": np.zeros((0, 3), np.float32),
        "integers": np.arange(5),
        "flags": np.array([True, False]),
        "swapped": whole.astype(">f4"),
    }
    safetensors.write(tmp_path / "net.safetensors", tensors, {"format": "pt", "note": "ä"})
    found, words = safetensors.read(tmp_path / "net.safetensors")
    assert words == {"format": "pt", "note": "ä"}
    assert list(found) == list(tensors)
    for name, array in tensors.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_the_numbers_begin_at_a_multiple_of_eight(tmp_path):
    for length in range(9):
        safetensors.write(tmp_path / f"{length}", {"x" * (1 + length): random(2)})
        content = (tmp_path / f"{length}").read_bytes()
        assert int.from_bytes(content[:8], "little") % 8 == 0


@pytest.mark.parametrize(("name", "dtype"), [("F64", "f8"), ("F16", "f2"), ("F32", "f4")])
def test_numbers_of_any_kind_become_float32(tmp_path, name, dtype):
    array = random((2, 3), dtype)
    path = file(tmp_path / "x", {"a": entry(name, [2, 3], 0, array.nbytes)}, array.tobytes())
    found = safetensors.read(path)[0]["a"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, array.astype("f4"))


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    halves = np.array([1.5, -2.0, 0.0078125], np.float32)
    upper = (halves.view(np.uint32) >> 16).astype("<u2")
    path = file(tmp_path / "x", {"a": entry("BF16", [3], 0, 6)}, upper.tobytes())
    np.testing.assert_array_equal(safetensors.read(path)[0]["a"], halves)


def test_integers_stay_integers(tmp_path):
    path = file(tmp_path / "x", {"a": entry("I64", [1], 0, 8)}, np.array([2**60]).tobytes())
    assert safetensors.read(path)[0]["a"].tolist() == [2**60]


WRONG = {
    "nothing": b"",
    "short": b"1234567",
    "long header": (10**9).to_bytes(8, "little") + b"{}",
    "endless header": (2**64 - 1).to_bytes(8, "little") + b"{}",
}


@pytest.mark.parametrize("what", WRONG)
def test_a_length_that_cannot_be_is_refused(tmp_path, what):
    (tmp_path / "x").write_bytes(WRONG[what])
    with pytest.raises(InputError, match="a header of"):
        safetensors.read(tmp_path / "x")


HEADERS = {
    "a gap": {"a": entry("U8", [1], 1, 2)},
    "an overlap": {"a": entry("U8", [2], 0, 2), "b": entry("U8", [1], 1, 2)},
    "too little": {"a": entry("U8", [1], 0, 1)},
    "too much": {"a": entry("U8", [3], 0, 3)},
    "a wrong size": {"a": entry("F32", [1], 0, 2)},
    "ten gigabytes": {"a": entry("F32", [2500000000], 0, 2)},
    "a shape below zero": {"a": entry("U8", [-1, -2], 0, 2)},
    "a shape of words": {"a": entry("U8", ["2"], 0, 2)},
    "an unknown dtype": {"a": entry("F8_E4M3", [2], 0, 2)},
    "offsets of words": {"a": entry("U8", [2], "0", "2")},
    "backwards": {"a": entry("U8", [2], 2, 0)},
    "no entry": {"a": 3},
    "no shape": {"a": {"dtype": "U8", "data_offsets": [0, 2]}},
    "words that are none": {"__metadata__": {"x": 1}, "a": entry("U8", [2], 0, 2)},
    "a list": [],
    "no JSON": b"{",
    "not a number": b'{"a": NaN}',
    "deep": b"[" * 100000,
    "twins": b'{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}, "a": {}}',
    "no text": b"\xff\xfe{}",
    "text in two bytes a letter": '{"a": 1}'.encode("utf-16-le"),
    "a space before": b' {"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}',
}


@pytest.mark.parametrize("what", HEADERS)
def test_wrong_headers_are_refused(tmp_path, what):
    file(tmp_path / "x", HEADERS[what], b"12")
    with pytest.raises(InputError) as caught:
        safetensors.read(tmp_path / "x")
    assert str(caught.value).startswith(f"{tmp_path / 'x'}: ")


def test_what_cannot_be_held_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x: a \.safetensors file cannot hold complex64"):
        safetensors.write(tmp_path / "file", {"x": np.zeros(2, "c8")})
    assert not (tmp_path / "file").exists()


def test_metadata_that_is_not_text_is_refused(tmp_path):
    with pytest.raises(InputError, match="file: expected text by name as metadata"):
        safetensors.write(tmp_path / "file", {"x": random(2)}, {"epoch": 3})
    with pytest.raises(InputError, match="cannot hold a tensor named __metadata__"):
        safetensors.write(tmp_path / "file", {"__metadata__": random(2)})
    assert not (tmp_path / "file").exists()


def test_the_length_of_a_header_is_no_other_kind_of_file(tmp_path):
    """Every 32nd length begins with the byte of a pickle, and one with the letters of a zip."""
    for length in (0x680, 0x4B50):
        header = json.dumps({"a": entry("F32", [2], 0, 8)}).encode().ljust(length)
        path = file(tmp_path / "net", header, random(2).tobytes())
        assert path.read_bytes()[:2] in (b"\x80\x06", b"PK")
        np.testing.assert_array_equal(files.read(path).tensors["a"], random(2))


def test_the_package_reads_ours_and_we_read_the_packages(tmp_path):
    package = pytest.importorskip("safetensors.numpy")
    tensors = {"a": random((3, 4)), "b": random(5), "c": np.arange(3), "d": random(2, "f2")}
    safetensors.write(tmp_path / "ours", tensors | {"t": tensors["a"].T}, {"who": "we"})
    theirs = package.load_file(tmp_path / "ours")
    for name, array in (tensors | {"t": tensors["a"].T}).items():
        np.testing.assert_array_equal(theirs[name], array)
    package.save_file(tensors, tmp_path / "theirs", {"who": "they"})
    found, words = safetensors.read(tmp_path / "theirs")
    assert words == {"who": "they"}
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array)
