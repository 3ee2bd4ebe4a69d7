"""Dictionaries of arrays in .npz and .npy files."""

import io
import zipfile

import numpy as np
import pytest
from pickling import called, name, npy, numpy_array, pickled

from minialexnet.errors import InputError
from minialexnet.weights import files, numpy_file


def random(shape, dtype="f4"):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def expected():
    return {"conv1.weight": random((3, 3, 2, 4)), "conv1.bias": random(4)}


def same(found):
    assert list(found) == list(expected())
    for word, array in expected().items():
        np.testing.assert_array_equal(found[word], array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "names", [("conv1.weight", "conv1.bias"), ("conv1/weights", "conv1/biases")]
)
def test_npz(tmp_path, save, names):
    save(tmp_path / "net.npz", **dict(zip(names, expected().values(), strict=True)))
    same(numpy_file.read(tmp_path / "net.npz"))


def test_npz_of_fortran_order(tmp_path):
    np.savez(tmp_path / "net.npz", x=np.asfortranarray(random((3, 4))))
    np.testing.assert_array_equal(numpy_file.read(tmp_path / "net.npz")["x"], random((3, 4)))


@pytest.mark.parametrize("kind", ["list", "dict", "tuple"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_dictionary_that_numpy_saved(tmp_path, kind):
    weight, bias = expected().values()
    parts = {
        "list": [weight, bias],
        "tuple": (weight, bias),
        "dict": {"weights": weight, "biases": bias},
    }
    np.save(tmp_path / "net.npy", {"conv1": parts[kind]}, allow_pickle=True)
    same(numpy_file.read(tmp_path / "net.npy"))


def test_a_dictionary_of_arrays_that_numpy_saved(tmp_path):
    np.save(tmp_path / "net.npy", expected(), allow_pickle=True)
    same(numpy_file.read(tmp_path / "net.npy"))


def test_a_dictionary_that_python_2_saved(tmp_path):
    weight, bias = map(numpy_array, expected().values())
    npy(tmp_path / "net.npy", pickled({b"conv1": [weight, bias]}))
    same(numpy_file.read(tmp_path / "net.npy"))
    # The bytes are what Python takes for that dictionary too.
    found = np.load(tmp_path / "net.npy", allow_pickle=True, encoding="latin1")
    assert found.keys() == {"conv1"}
    np.testing.assert_array_equal(found["conv1"][0], expected()["conv1.weight"])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol(tmp_path, protocol):
    import pickle

    weight, bias = expected().values()
    value = {"conv1": [np.asfortranarray(weight), bias.astype(">f8")]}
    npy(tmp_path / "net.npy", pickle.dumps(value, protocol=min(protocol, 4)))
    same(numpy_file.read(tmp_path / "net.npy"))


@pytest.mark.parametrize("size", [(), (3,), (2, 3), (0, 2), (1,) * 8])
@pytest.mark.parametrize("dtype", ["f4", ">f8", "f2", "i8", "u1", "?"])
def test_npz_of_any_size_and_kind(tmp_path, size, dtype):
    array = np.asarray(10 * random(size)).astype(dtype)
    np.savez(tmp_path / "net.npz", x=array)
    found = numpy_file.read(tmp_path / "net.npz")["x"]
    assert (found.dtype, found.shape) == (array.dtype, size)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "header",
    [
        b"{'shape': (2L, 3L), 'fortran_order': True, 'descr': '<f4'}",
        b"{'descr':'<f4','fortran_order':True,'shape':(2,3)}" + b" " * 500 + b"\n",
    ],
)
def test_headers_that_others_write(tmp_path, header):
    array = random((3, 2))
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        length = len(header).to_bytes(4, "little")
        archive.writestr("x.npy", b"\x93NUMPY\x02\x00" + length + header + array.tobytes())
    np.testing.assert_array_equal(numpy_file.read(tmp_path / "net.npz")["x"], array.T)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b"{'descr': '<f4', 'fortran_order': False}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        b"{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 2}",
        b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<M8', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s,)}" % (b"9" * 30),
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s)}" % (b"1," * 9),
    ],
)
def test_other_headers_are_refused(tmp_path, header):
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        length = len(header).to_bytes(2, "little")
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + length + header + b"1234")
    with pytest.raises(InputError, match=r"an \.npy file with|x: '<[UM]"):
        numpy_file.read(tmp_path / "net.npz")


def test_two_arrays_of_one_name_are_refused(tmp_path):
    np.savez(tmp_path / "net.npz", **{"conv1/weights": random(2), "conv1.weight": random(2)})
    with pytest.raises(InputError, match=r"two arrays 'conv1\.weight'"):
        numpy_file.read(tmp_path / "net.npz")
    parts = {"weights": random(2), "weight": random(2)}
    np.save(tmp_path / "net.npy", {"conv1": parts}, allow_pickle=True)
    with pytest.raises(InputError, match=r"two arrays 'conv1\.weight'"):
        numpy_file.read(tmp_path / "net.npy")


def test_objects_in_npz_are_refused_with_the_way_out(tmp_path):
    np.savez(tmp_path / "net.npz", x=np.array([{}], object))
    with pytest.raises(InputError, match=r"x: objects, expected numbers; .* numpy.savez"):
        numpy_file.read(tmp_path / "net.npz")


def test_what_is_no_array_is_refused_with_the_way_out(tmp_path):
    npy(tmp_path / "net.npy", pickled({"conv1": called(name("decimal", "Decimal"), "1")}))
    with pytest.raises(InputError, match=r"asks for decimal.Decimal; .* numpy.savez"):
        numpy_file.read(tmp_path / "net.npy")


def test_one_array_alone_is_refused(tmp_path):
    np.save(tmp_path / "net.npy", random(3))
    with pytest.raises(InputError, match="one array of float32, expected a dictionary of arrays"):
        numpy_file.read(tmp_path / "net.npy")


def test_integers_in_a_dictionary_are_refused(tmp_path):
    np.save(tmp_path / "net.npy", {"conv1": np.arange(3)}, allow_pickle=True)
    with pytest.raises(InputError, match="an array of 'i8', expected floating-point numbers"):
        numpy_file.read(tmp_path / "net.npy")


def test_an_array_larger_than_its_bytes_is_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**10,)}
    )
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue() + b"1234")
    with pytest.raises(InputError, match="x: 4 bytes for float32 of shape"):
        numpy_file.read(tmp_path / "net.npz")


def test_the_kind_of_a_file_is_its_content(tmp_path):
    from pickling import state_dict, torch_legacy, torch_zip

    from minialexnet.weights import safetensors

    with (tmp_path / "npz.pth").open("wb") as file:
        np.savez(file, **expected())
    np.save(tmp_path / "npy.npy", {"conv1": list(expected().values())}, allow_pickle=True)
    torch_zip(tmp_path / "zip.npz", state_dict(expected()), expected().values())
    torch_legacy(tmp_path / "old.npy", state_dict(expected(), True), list(expected().values()))
    safetensors.write(tmp_path / "safe.pth", expected(), {"a": "b"})
    for file in ("npz.pth", "npy.npy", "zip.npz", "old.npy", "safe.pth"):
        weights = files.read(tmp_path / file)
        same(weights.tensors)
        assert weights.caffe == file.startswith("np")
        assert weights.words == ({"a": "b"} if file == "safe.pth" else {})


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"12345678[", b"\x1f\x8b"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(InputError, match=r"expected a \.pth, \.safetensors, \.npz or \.npy file"):
        files.read(tmp_path / "net")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match=f"^{path}: "):
            files.read(path)


def test_a_header_of_every_length_is_safetensors(tmp_path):
    """Its first byte may be that of a pickle, its first two those of a zip archive."""
    from minialexnet.weights import safetensors

    first = set()
    for length in range(0, 2100, 8):
        safetensors.write(tmp_path / "net", {"x": random(2)}, {"note": "x" * length})
        first.add((tmp_path / "net").read_bytes()[0])
        assert list(files.read(tmp_path / "net").tensors) == ["x"]
    assert {0x80, ord("P")} <= first
