"""Files made to do harm: nothing in them is executed, believed, unpacked or fatal."""

import pickle
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from pickling import (
    Raw,
    built,
    called,
    encoded,
    name,
    npy,
    numpy_array,
    persistent,
    pickled,
    state_dict,
    torch_legacy,
    torch_tensor,
    torch_zip,
)
from witness import WITNESS

from minialexnet.__main__ import main
from minialexnet.errors import InputError
from minialexnet.weights import files, safetensors

# ---------------------------------------------------------------- a witness


@pytest.fixture(autouse=True, scope="module")
def warm(tmp_path_factory):
    """What Python imports at the first use is imported."""
    for path in originals(tmp_path_factory.mktemp("warm")).values():
        files.read(path)


def test_the_witness_sees(tmp_path):
    with WITNESS:
        pickle.loads(pickled(called(name("builtins", "len"), "abc")))
        (tmp_path / "x").write_text("y")
    assert {event for event, *_ in WITNESS.seen} >= {"pickle.find_class", "open"}


def refused(path) -> str:
    with WITNESS, pytest.raises(InputError) as caught:
        files.read(path)
    assert WITNESS.seen == []
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


# ---------------------------------------------------------------- execution

ATTACKS = {
    "GLOBAL REDUCE": lambda do: called(name("os", "system"), do),
    "posix": lambda do: called(name("posix", "system"), do),
    "eval": lambda do: called(name("builtins", "eval"), f"__import__('os').system({do!r})"),
    "STACK_GLOBAL": lambda do: Raw(
        encoded("os") + encoded("system") + b"\x93" + encoded((do,)) + b"R"
    ),
    "INST": lambda do: Raw(b"(" + encoded(do) + b"ios\nsystem\n"),
    "OBJ": lambda do: Raw(b"(cos\nsystem\n" + encoded(do) + b"o"),
    "NEWOBJ": lambda do: Raw(b"csubprocess\nPopen\n" + encoded((do,)) + b"\x81"),
    "NEWOBJ_EX": lambda do: Raw(b"csubprocess\nPopen\n" + encoded((do,)) + b"}\x92"),
    "EXT1": lambda do: Raw(b"\x82\x01" + encoded((do,)) + b"R"),
    "a dotted name": lambda do: called(name("collections", "OrderedDict.fromkeys"), do),
    "a module of a known name": lambda do: called(name("torch", "hub.load"), do),
    "an attribute": lambda do: built(called(name("collections", "OrderedDict")), {"__class__": do}),
    "a call on a value": lambda do: Raw(encoded("os.system") + encoded((do,)) + b"R"),
    "a storage called": lambda do: called(name("torch", "FloatStorage"), do),
    "BUILD on a tensor": lambda do: built(torch_tensor("0", np.zeros(1, "f4")), {"shape": do}),
    "BUILD on text": lambda do: built(Raw(encoded("x")), {"__dict__": do}),
    "a persistent id": lambda do: persistent(("module", name("torch", "FloatStorage"), do, "", 1)),
}
CONTAINERS = {
    "zip": lambda path, value: torch_zip(path, value, [np.zeros(1, "f4")]),
    "legacy": lambda path, value: torch_legacy(path, value, [np.zeros(1, "f4")]),
    "npy": lambda path, value: npy(path, pickled(value)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_executed(tmp_path, container, attack):
    canary = tmp_path / "canary"
    value = ATTACKS[attack](f"touch {canary}")
    for where in (value, {"x": value}, [value]):
        CONTAINERS[container](tmp_path / "net", where)
        if container == "npy" and attack == "an attribute":
            continue
        try:
            refused(tmp_path / "net")
        except pytest.fail.Exception:
            # What PyTorch hangs onto its dictionaries is dropped, whatever it says.
            assert attack == "an attribute"
        assert not canary.exists()


def test_the_attacks_are_real(tmp_path):
    """Python's own machine obeys them."""
    for attack in ("GLOBAL REDUCE", "eval", "STACK_GLOBAL", "INST", "OBJ"):
        canary = tmp_path / attack.replace(" ", "")
        pickle.loads(pickled(ATTACKS[attack](f"touch {canary}")))
        assert canary.exists(), attack


def test_the_command_says_so_in_a_line(tmp_path, capsys):
    torch_zip(tmp_path / "net.pth", ATTACKS["GLOBAL REDUCE"](f"touch {tmp_path / 'canary'}"), [])
    words = ["import", tmp_path / "net.pth", "--network", "one_tower", "--out", tmp_path / "run"]
    assert main(list(map(str, words))) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"minialexnet: error: {tmp_path / 'net.pth'}: a pickle that asks for os")
    assert said.count("\n") == 1
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "run").exists()


# ---------------------------------------------------------------- archives


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "net/../../evil", "net\\..\\evil", "C:/evil"]
)
def test_a_path_in_the_archive(tmp_path, path):
    torch_zip(tmp_path / "net.pth", state_dict({}), [], members=[(path, b"x")])
    assert "an archive with a path in it" in refused(tmp_path / "net.pth")
    assert [one.name for one in tmp_path.iterdir()] == ["net.pth"]


def test_two_members_of_a_name(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        torch_zip(tmp_path / "net.pth", state_dict({}), [], members=[("net/data.pkl", b"N.")])
    assert "two members" in refused(tmp_path / "net.pth")


def test_a_compressed_bomb(tmp_path):
    zeros = np.zeros(10**7, "f4")
    value = {"x": torch_tensor("0", zeros)}
    torch_zip(tmp_path / "net.pth", value, [zeros], compression=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "net.pth").stat().st_size < 10**5
    assert "is compressed" in little_memory(tmp_path / "net.pth")
    with zipfile.ZipFile(tmp_path / "net.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"")
        archive.filelist[0].file_size = 10 * 2**30
    assert "arrays of 10,737,418,240 bytes, expected at most" in little_memory(tmp_path / "net.npz")


def claimed(path, name: bytes, place: int, size: int) -> None:
    """Put another size into the archive's list of members."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(name) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + place : entry + place + 4] = struct.pack("<I", size)
    path.write_bytes(content)


PACKED, UNPACKED = 20, 24


def test_memory_behind_a_storage_that_ends_early_is_not_read(tmp_path):
    """The member claims 4000 bytes, which the file has room for, but 4 are there."""
    large, path = np.zeros(1000, "f4"), tmp_path / "net.pth"
    torch_zip(path, {"x": torch_tensor("0", large)}, [SMALL[:1]], members=[("net/x", b"x" * 6000)])
    claimed(path, b"net/data/0", UNPACKED, large.nbytes)
    claimed(path, b"net/x", UNPACKED, 0)
    claimed(path, b"net/x", PACKED, 0)
    assert "member 'net/data/0' has two sizes" in refused(path)


def test_a_member_that_claims_gigabytes_of_the_file(tmp_path):
    torch_zip(tmp_path / "net.pth", {"x": torch_tensor("0", SMALL)}, [SMALL])
    claimed(tmp_path / "net.pth", b"net/data/0", PACKED, 2**31 - 1)
    assert "has two sizes" in little_memory(tmp_path / "net.pth")


def test_what_a_file_says_takes_one_short_line_of_a_message(tmp_path):
    long = "a\n\x1b[2J" * 5000
    torch_zip(tmp_path / "0", Raw(encoded(long) + encoded(long) + b"\x93"), [])
    torch_zip(tmp_path / "1", {"x": torch_tensor(long, SMALL)}, [])
    torch_legacy(tmp_path / "2", {"x": torch_tensor(long, SMALL, legacy=True)}, [])
    torch_zip(tmp_path / "3", {}, [], members=[("a" * 60000, b"")], root="..")
    with (tmp_path / "4").open("wb") as file:
        np.savez(file, **{long.replace("\x1b", ""): np.array("x")})
    safetensors.write(tmp_path / "5", {long: SMALL})
    content = (tmp_path / "5").read_bytes().replace(b"F32", b"F\\n")
    (tmp_path / "5").write_bytes(content)
    header = b'{"x": {"dtype": "U8", "shape": [1], "data_offsets": [0, ' + b"9" * 4000 + b"]}}"
    (tmp_path / "6").write_bytes(len(header).to_bytes(8, "little") + header)
    npy(tmp_path / "7", b"I" + b"a" * 10**5 + b"\n.")
    for number in range(8):
        said = refused(tmp_path / str(number)).removeprefix(str(tmp_path))
        assert said.isprintable()
        assert len(said) < 400


# ---------------------------------------------------------------- claims


def little_memory(path) -> str:
    """The refusal, which must not have cost much."""
    tracemalloc.start()
    try:
        said = refused(path)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()
    return said


TEN_GB = 10 * 2**30 // 4
SMALL = np.zeros(4, "f4")
CLAIMS = {
    "a large storage": torch_tensor("0", SMALL, count=TEN_GB, shape=(TEN_GB,)),
    "a large tensor": torch_tensor("0", SMALL, shape=(TEN_GB,)),
    "one element again and again": torch_tensor("0", SMALL, shape=(TEN_GB,), strides=(0,)),
    "many axes": torch_tensor("0", SMALL, shape=(2,) * 40, strides=(0,) * 40),
    "an offset behind the end": torch_tensor("0", SMALL, offset=4, shape=(1,), strides=(1,)),
    "an offset before the start": torch_tensor("0", SMALL, offset=-1, shape=(1,), strides=(1,)),
    "steps over the end": torch_tensor("0", SMALL, shape=(2, 2), strides=(3, 1)),
    "steps backwards": torch_tensor("0", SMALL, offset=3, shape=(4,), strides=(-1,)),
    "a negative size": torch_tensor("0", SMALL, shape=(-1,), strides=(1,)),
    "numbers that wrap round": torch_tensor("0", SMALL, shape=(2**62, 4), strides=(4, 1)),
    "fractions": torch_tensor("0", SMALL, shape=("4",), strides=(1,)),
}


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_held_against_the_bytes_that_are_there(tmp_path, container, claim):
    container = {"zip": torch_zip, "legacy": torch_legacy}[container]
    container(tmp_path / "net", {"x": CLAIMS[claim]}, [SMALL])
    little_memory(tmp_path / "net")


def test_many_tensors_in_one_storage_do_not_fill_the_memory(tmp_path):
    large = np.zeros(10**5, "f4")
    torch_zip(tmp_path / "net", {str(n): torch_tensor("0", large) for n in range(500)}, [large])
    assert "tensors of 200,000,000 bytes in a file of" in refused(tmp_path / "net")


LENGTHS = {
    "text": b"\x8d" + struct.pack("<Q", 2**60),
    "bytes": b"\x8e" + struct.pack("<Q", 2**60),
    "a byte array": b"\x96" + struct.pack("<Q", 2**34),
    "a number": b"\x8b" + struct.pack("<i", 2**31 - 1),
    "a place in the memo": b"Nr" + struct.pack("<I", 2**32 - 1) + b"0N.",
    "a frame": b"\x95" + struct.pack("<Q", 2**60) + b"N.",
    "depth": b"(" * 10**4 + b"t" * 10**4 + b".",
}


@pytest.mark.parametrize("container", ["zip", "npy"])
@pytest.mark.parametrize("what", LENGTHS)
def test_no_length_in_a_pickle_is_believed(tmp_path, container, what):
    pickle_bytes = b"\x80\x04" + LENGTHS[what]
    if container == "npy":
        npy(tmp_path / "net", pickle_bytes)
    else:
        with zipfile.ZipFile(tmp_path / "net", "w") as archive:
            archive.writestr("net/data.pkl", pickle_bytes)
    tracemalloc.start()
    refused(tmp_path / "net")
    assert tracemalloc.get_traced_memory()[1] < 10**8
    tracemalloc.stop()


ORDERED, ENCODE = name("collections", "OrderedDict"), name("_codecs", "encode")
PAIRS, TEXT = [(str(n), 1) for n in range(3000)], "a" * 10**6
AGAIN = {
    "a dictionary": called(ORDERED, Raw(encoded(PAIRS) + b"q\x02"))
    + Raw(ORDERED + b"h\x02\x85R") * 1500,
    "text": called(ENCODE, Raw(encoded(TEXT) + b"q\x02"), "latin1")
    + called(ENCODE, Raw(b"h\x02"), "latin1") * 500,
    "small things": b"}" * 10**6,
}
SIZES = Raw(b"(" + encoded(2**100) * 20000 + b"t")
LABOUR = {
    "products of large numbers": torch_tensor(
        "0",
        SMALL,
        shape=(Raw(b"\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6 + b"q\x02"), 1),
        strides=(Raw(b"h\x02"), 1),
    ),
    "products of many numbers": built(
        called(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), (0,), b"b"),
        (1, SIZES, called(name("numpy", "dtype"), b"f4", 0, 1), False, b"12345678"),
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("what", AGAIN)
def test_what_is_said_once_is_not_copied_a_thousand_times(tmp_path, container, what):
    CONTAINERS[container](tmp_path / "net", Raw(b"(" + AGAIN[what] + b"t"))
    tracemalloc.start()
    refused(tmp_path / "net")
    assert tracemalloc.get_traced_memory()[1] < 10**8
    tracemalloc.stop()


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("what", LABOUR)
def test_no_arithmetic_takes_long(tmp_path, container, what):
    CONTAINERS[container](tmp_path / "net", {"conv1": [LABOUR[what]]})
    began = time.process_time()
    refused(tmp_path / "net")
    assert time.process_time() - began < 1


@pytest.mark.parametrize("nest", [b"-" * 900 + b"1", b"[" * 900, b"{'descr': ((((" * 60])
@pytest.mark.parametrize("large", [1, 100])
def test_nests_in_the_header_of_an_array(tmp_path, nest, large):
    """Python's parser, to which NumPy hands headers, runs out of memory in them."""
    nest = nest * large
    content = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(nest)) + nest
    (tmp_path / "net.npy").write_bytes(content)
    assert "an .npy file with the header" in refused(tmp_path / "net.npy")
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        archive.writestr("x.npy", content)
    assert "an .npy file with the header" in refused(tmp_path / "net.npz")


# Each holds the one before it twice: two to the power of a hundred in all.
LAUGHS = Raw(b"N" + b"q\x00h\x00\x86" * 100)


@pytest.mark.parametrize(
    "value",
    [
        LAUGHS,
        Raw(b"}(" + LAUGHS + b"Nu"),
        {n * (2**61 - 1): None for n in range(1, 20000)},
        {"x": LAUGHS},
        [LAUGHS, LAUGHS],
        called(LAUGHS, 1),
        built(LAUGHS, 1),
        persistent(LAUGHS),
        persistent(("storage", name("torch", "FloatStorage"), LAUGHS, "cpu", 1)),
        called(name("collections", "OrderedDict"), [(LAUGHS, 1)]),
        torch_tensor("0", SMALL, shape=(LAUGHS,), strides=(1,)),
        torch_tensor("0", SMALL, shape=(1,), strides=(LAUGHS,)),
        torch_tensor("0", SMALL, shape=(1,), strides=(1,), offset=LAUGHS),
        {b"conv1": [built(called(name("numpy", "dtype"), LAUGHS, 0, 1), LAUGHS)]},
        {b"conv1": [built(called(name("numpy", "dtype"), b"f4", 0, 1), (3, LAUGHS))]},
        called(name("_codecs", "encode"), "x", LAUGHS),
    ],
)
@pytest.mark.parametrize("container", CONTAINERS)
def test_endless_values_are_refused_at_once(tmp_path, container, value):
    """To hash, compare or print them would take for ever."""
    CONTAINERS[container](tmp_path / "net", value)
    refused(tmp_path / "net")


# ---------------------------------------------------------------- damage


def originals(folder) -> dict:
    """Good files of every kind."""
    rng = np.random.default_rng(0)
    arrays = {
        "conv1.weight": rng.standard_normal((2, 3, 2, 2), dtype=np.float32),
        "conv1.bias": rng.standard_normal(2, dtype=np.float32),
    }
    paths = {kind: folder / kind for kind in ("zip", "legacy", "safe", "npz", "npy2", "npy")}
    torch_zip(paths["zip"], state_dict(arrays), arrays.values())
    torch_legacy(paths["legacy"], state_dict(arrays, legacy=True), list(arrays.values()))
    safetensors.write(paths["safe"], arrays, {"format": "pt"})
    with paths["npz"].open("wb") as file:
        np.savez(file, **arrays)
    npy(paths["npy2"], pickled({b"conv1": [numpy_array(array) for array in arrays.values()]}))
    npy(paths["npy"], pickle.dumps({"conv1": list(arrays.values())}, protocol=4))
    return paths


KINDS = ("zip", "legacy", "safe", "npz", "npy2", "npy")


def read_or_refused(path) -> bool:
    """Whether the file is read; anything but arrays by name or an InputError fails the test."""
    with WITNESS:
        try:
            found = files.read(path).tensors
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            found = None
    assert WITNESS.seen == []
    if found is not None:
        assert all(isinstance(array, np.ndarray) for array in found.values())
        assert all(isinstance(word, str) for word in found)
    return found is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_short_is_refused(tmp_path, kind):
    content = originals(tmp_path)[kind].read_bytes()
    for end in np.linspace(0, len(content) - 1, 60).astype(int):
        (tmp_path / "cut").write_bytes(content[:end])
        assert not read_or_refused(tmp_path / "cut"), end


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_hundred_and_fifty_damaged_files(tmp_path, kind):
    """Nine hundred in all: bytes changed, taken out, put in, and moved."""
    content = originals(tmp_path)[kind].read_bytes()
    rng, read = np.random.default_rng(KINDS.index(kind)), 0
    for _ in range(150):
        (tmp_path / "damaged").write_bytes(damaged(content, rng))
        read += read_or_refused(tmp_path / "damaged")
    # Where a format has no checksum, a weight may change unnoticed; a name or a length may not.
    assert read < 120


@pytest.mark.parametrize("kind", ["zip", "npz"])
def test_a_hundred_damaged_members_of_whole_archives(tmp_path, kind):
    """Their checksums are right, so that it is not those which refuse them."""
    with zipfile.ZipFile(originals(tmp_path)[kind]) as archive:
        members = {word: archive.read(word) for word in archive.namelist()}
    rng, read = np.random.default_rng(0), 0
    for _ in range(100):
        # The first of PyTorch's is its pickle, which is the one to be careful with.
        chosen = list(members)[int(rng.integers(len(members))) * int(rng.integers(2))]
        with zipfile.ZipFile(tmp_path / "damaged", "w") as archive:
            for word, content in members.items():
                archive.writestr(word, damaged(content, rng) if word == chosen else content)
        read += read_or_refused(tmp_path / "damaged")
    assert 0 < read < 50


def damaged(content: bytes, rng) -> bytes:
    """One to four bytes or rows of bytes changed, taken out, put in, or moved."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if not content:
            break
        place, length = int(rng.integers(len(content))), int(rng.integers(1, 9))
        match rng.integers(5):
            case 0:
                content[place] ^= 1 << int(rng.integers(8))
            case 1:
                content[place : place + length] = rng.bytes(length)
            case 2:
                del content[place : place + length]
            case 3:
                content[place:place] = rng.bytes(length)
            case 4:
                other = int(rng.integers(len(content)))
                content[place : place + length] = content[other : other + length]
    return bytes(content)
