"""The path through NCCL: by a stand-in with its calls here, by itself where there are GPUs."""

import ctypes
from importlib.util import find_spec

import mpi
import numpy as np
import pytest

PROGRAM = mpi.TESTS / "mpi_nccl.py"


def gpus() -> int:
    if find_spec("cupy") is None:
        return 0
    import cupy

    return cupy.cuda.runtime.getDeviceCount() if cupy.is_available() else 0


def weights(path):
    with np.load(path) as arrays:
        return dict(arrays)


@mpi.needs_mpi
@pytest.mark.parametrize("words", [(), ("towers",)], ids=["data parallel", "towers"])
def test_training_through_nccls_calls_is_training_through_mpi_to_the_bit(words, tmp_path):
    mpi.done(2, tmp_path / "nccl.npz", *words, before=[PROGRAM])
    mpi.done(2, tmp_path / "mpi.npz", "mpi", *words, before=[PROGRAM])
    one, other = weights(tmp_path / "nccl.npz"), weights(tmp_path / "mpi.npz")
    assert list(one) == list(other)
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


@mpi.needs_mpi
@pytest.mark.parametrize("words", [(), ("towers",)], ids=["data parallel", "towers"])
def test_training_on_gpus_is_training_on_the_host(words, tmp_path):
    if gpus() < 2:
        pytest.skip("needs two GPUs, CuPy and NCCL")
    mpi.done(2, tmp_path / "nccl.npz", "gpu", *words, before=[PROGRAM])
    mpi.done(2, tmp_path / "mpi.npz", "mpi", *words, before=[PROGRAM])
    one, other = weights(tmp_path / "nccl.npz"), weights(tmp_path / "mpi.npz")
    for name, array in other.items():
        assert np.abs(one[name] - array).max() <= 1e-4 * np.abs(array).max(), name


@mpi.needs_mpi
def test_two_ranks_with_one_gpu_are_refused(tmp_path):
    said = mpi.done(2, tmp_path / "none", "same", before=[PROGRAM])
    assert said.count("ranks 0 and 1 have the same GPU, 0000:07:00.0 of") == 2


def test_cupy_has_the_calls_of_the_stand_in():
    pytest.importorskip("cupy")
    try:
        ctypes.CDLL("libnccl.so.2")
    except OSError:
        pytest.skip("needs NCCL: pip install nvidia-nccl-cu13, and LD_LIBRARY_PATH")
    from cupy.cuda import nccl

    said = {
        "allReduce": "intptr_t sendbuf, intptr_t recvbuf, size_t count, int datatype, int op, "
        "intptr_t stream",
        "send": "intptr_t sendbuf, size_t count, int datatype, int peer, intptr_t stream",
        "recv": "intptr_t recvbuf, size_t count, int datatype, int peer, intptr_t stream",
        "check_async_error": "self",
    }
    for name, words in said.items():
        assert words in getattr(nccl.NcclCommunicator, name).__doc__
    assert "int ndev, bytes commId, int rank" in nccl.NcclCommunicator.__doc__
    assert len(nccl.get_unique_id()) == 128
    assert (nccl.NCCL_SUM, nccl.NCCL_FLOAT32, nccl.NCCL_FLOAT64) == (0, 7, 8)
    assert callable(nccl.groupStart)
    assert callable(nccl.groupEnd)
