"""PyTorch's files, as they are written byte by byte here, and by PyTorch where it is installed."""

import zipfile

import numpy as np
import pytest
from pickling import (
    KINDS,
    called,
    encoded,
    name,
    state_dict,
    torch_legacy,
    torch_tensor,
    torch_zip,
)

from minialexnet.errors import InputError
from minialexnet.weights import torch_file

LAYOUTS = {"zip": torch_zip, "legacy": torch_legacy}
every_layout = pytest.mark.parametrize("layout", LAYOUTS)


def random(shape, dtype="f4"):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def arrays():
    return {"conv1.weight": random((4, 3, 2, 2)), "conv1.bias": random(4), "count": np.array(7)}


def written(path, layout, tensors):
    value = state_dict(tensors, legacy=layout == "legacy")
    LAYOUTS[layout](path, value, list(tensors.values()))
    return path


def same(found, expected):
    assert list(found) == list(expected)
    for word, array in expected.items():
        assert found[word].dtype == (np.float32 if array.dtype.kind == "f" else array.dtype)
        assert found[word].flags.c_contiguous
        np.testing.assert_array_equal(found[word], array.astype(found[word].dtype))


@every_layout
def test_tensors_come_by_name(tmp_path, layout):
    same(torch_file.read(written(tmp_path / "net.pth", layout, arrays())), arrays())


@every_layout
@pytest.mark.parametrize("dtype", KINDS)
def test_kinds_of_numbers(tmp_path, layout, dtype):
    tensors = {"x": (100 * random((3, 5))).astype(dtype)}
    same(torch_file.read(written(tmp_path / "net.pth", layout, tensors)), tensors)


def test_a_part_of_a_storage_with_strides(tmp_path):
    flat = random(60)
    tensor = torch_tensor("0", flat, offset=7, shape=(4, 3), strides=(2, 15))
    torch_zip(tmp_path / "net.pth", {"x": tensor}, [flat])
    expected = np.array([[flat[7 + 2 * i + 15 * j] for j in range(3)] for i in range(4)])
    same(torch_file.read(tmp_path / "net.pth"), {"x": expected})


def test_two_tensors_in_one_storage(tmp_path):
    flat = random(6)
    tensors = {
        "a": torch_tensor("0", flat, shape=(2,)),
        "b": torch_tensor("0", flat, offset=2, shape=(2, 2)),
    }
    torch_zip(tmp_path / "net.pth", tensors, [flat])
    same(torch_file.read(tmp_path / "net.pth"), {"a": flat[:2], "b": flat[2:].reshape(2, 2)})


@every_layout
@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_what_training_scripts_save(tmp_path, layout, key):
    tensors = {f"module.{word}": array for word, array in arrays().items()}
    value = {"epoch": 3, key: state_dict(tensors, legacy=layout == "legacy"), "best": None}
    LAYOUTS[layout](tmp_path / "net.pth", value, list(tensors.values()))
    same(torch_file.read(tmp_path / "net.pth"), arrays())


@every_layout
def test_what_else_training_scripts_save_is_left_out(tmp_path, layout):
    """Such as momentum, which lies in storages of its own."""
    legacy, tensors, momentum = layout == "legacy", arrays(), random(6)
    buffer = torch_tensor(str(len(tensors)), momentum, legacy=legacy)
    value = {
        "optimizer": {"state": {0: {"momentum_buffer": buffer}}},
        "state_dict": state_dict(tensors, legacy=legacy),
    }
    LAYOUTS[layout](tmp_path / "net.pth", value, [*tensors.values(), momentum])
    same(torch_file.read(tmp_path / "net.pth"), tensors)


def test_an_ordered_dictionary_of_python_2(tmp_path):
    pairs = [
        [word, torch_tensor(str(n), array)] for n, (word, array) in enumerate(arrays().items())
    ]
    value = called(name("collections", "OrderedDict"), pairs)
    torch_zip(tmp_path / "net.pth", value, arrays().values())
    same(torch_file.read(tmp_path / "net.pth"), arrays())


def test_a_parameter_is_its_tensor(tmp_path):
    array = random(3)
    parameter = called(
        name("torch._utils", "_rebuild_parameter"),
        torch_tensor("0", array),
        True,
        called(name("collections", "OrderedDict")),
    )
    torch_zip(tmp_path / "net.pth", {"x": parameter}, [array])
    same(torch_file.read(tmp_path / "net.pth"), {"x": array})


WRONG = {
    "a whole module": (
        called(name("torchvision.models.alexnet", "AlexNet")),
        "asks for torchvision",
    ),
    "a list": ([1, 2], "expected a dictionary of tensors, got list"),
    "a number": ({"x": 3}, "expected tensors by name, got int 'x'"),
    "a tensor without a name": ({3: None}, "expected tensors by name"),
    "sparse": (called(name("torch._utils", "_rebuild_sparse_tensor")), "_rebuild_sparse_tensor"),
}


@every_layout
@pytest.mark.parametrize("what", WRONG)
def test_anything_but_tensors_is_refused(tmp_path, layout, what):
    value, message = WRONG[what]
    LAYOUTS[layout](tmp_path / "net.pth", value, [])
    with pytest.raises(InputError, match=message) as caught:
        torch_file.read(tmp_path / "net.pth")
    assert str(caught.value).startswith(f"{tmp_path / 'net.pth'}: ")


def test_the_way_out_is_named(tmp_path):
    torch_zip(tmp_path / "net.pth", WRONG["a whole module"][0], [])
    with pytest.raises(InputError, match=r"torch.save\(model.state_dict\(\), FILE\)"):
        torch_file.read(tmp_path / "net.pth")


def test_a_program_is_refused(tmp_path):
    members = [("net/constants.pkl", b"")]
    torch_zip(tmp_path / "net.pth", {}, [], members, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="a TorchScript program"):
        torch_file.read(tmp_path / "net.pth")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x02N.", b"\x80\x02"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(InputError, match=r"net\.pth: "):
        torch_file.read(tmp_path / "net.pth")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        torch_file.read(tmp_path / "net.pth")


def test_a_missing_storage_is_refused(tmp_path):
    torch_zip(tmp_path / "net.pth", {"x": torch_tensor("1", random(3))}, [random(3)])
    with pytest.raises(InputError, match="storage 1 is missing"):
        torch_file.read(tmp_path / "net.pth")


def test_the_other_byte_order(tmp_path):
    array = random(5)
    torch_zip(tmp_path / "net.pth", {"x": torch_tensor("0", array)}, [array.astype(">f4")])
    with zipfile.ZipFile(tmp_path / "net.pth") as before:
        members = {word: before.read(word) for word in before.namelist()}
    with zipfile.ZipFile(tmp_path / "net.pth", "w") as after:
        for word, content in (members | {"net/byteorder": b"big"}).items():
            after.writestr(word, content)
    same(torch_file.read(tmp_path / "net.pth"), {"x": array})


def test_the_writer_of_these_tests_writes_pickles():
    import pickle

    value = {"a": [1, -5, 2**70, None, True], "b": ("x", {"y": False})}
    assert pickle.loads(b"\x80\x02" + encoded(value) + b".") == value


# ---------------------------------------------------------------- PyTorch itself


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_what_pytorch_writes(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    whole = torch.randn(6, 5)
    tensors = {
        "plain": torch.randn(2, 3, 4),
        "transposed": torch.randn(3, 4).T,
        "part": whole[1:4, ::2],
        "whole": whole,
        "half": torch.randn(7).half(),
        "brain": torch.randn(7).bfloat16(),
        "brain0": torch.tensor(1.5).bfloat16(),
        "double": torch.randn(2, 2).double(),
        "parameter": torch.nn.Parameter(torch.randn(3)),
        "long": torch.arange(4),
        "flag": torch.tensor([True, False]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
    }
    torch.save(tensors, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    found = torch_file.read(tmp_path / "net.pth")
    assert list(found) == list(tensors)
    for word, tensor in tensors.items():
        tensor = tensor.detach()
        expected = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
        assert found[word].dtype == expected.dtype
        np.testing.assert_array_equal(found[word], expected, err_msg=word)


def test_a_view_whose_signs_pytorch_turns_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    view = torch.tensor([1 + 2j]).conj().imag
    assert view.is_neg()
    torch.save({"x": view}, tmp_path / "net.pth")
    with pytest.raises(InputError, match="a tensor with notes on how to read it"):
        torch_file.read(tmp_path / "net.pth")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("write", ["script", "module", "sparse"])
def test_what_else_pytorch_writes_is_refused_with_the_way_out(tmp_path, write):
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 2)
    if write == "script":
        torch.jit.script(net).save(tmp_path / "net.pth")
    else:
        value = {"module": net, "sparse": {"x": torch.eye(2).to_sparse()}}[write]
        torch.save(value, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"torch.save\(model.state_dict\(\), FILE\)"):
        torch_file.read(tmp_path / "net.pth")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_of_pytorch(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    net = torch.nn.DataParallel(net)
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(2, 3, 5, 5)).sum().backward()
    sgd.step()
    value = {"state_dict": net.state_dict(), "epoch": 3, "optimizer": sgd.state_dict()}
    torch.save(value, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    found = torch_file.read(tmp_path / "net.pth")
    expected = net.module.state_dict()
    assert list(found) == list(expected)
    np.testing.assert_array_equal(found["0.weight"], expected["0.weight"].numpy())
