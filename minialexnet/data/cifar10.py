"""CIFAR-10 from its official archive: 60,000 pictures of 32 x 32 pixels, ten classes.

The archive comes in several versions. This reads the binary one: records of one label byte and
3 x 1024 pixel bytes, the red, green and blue planes row by row. The Python version consists of
pickles, and unpickling a downloaded file runs whatever code somebody put into it.
"""

import hashlib
import os
import sys
import tarfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from minialexnet.data.prepared import Dataset, prepared
from minialexnet.data.writing import new_prepared, vacant
from minialexnet.errors import InputError

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
PYTHON_MD5 = "c58f30108f718f92721af3b95e74349a"

CLASSES = [
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
]
TRAIN = [f"data_batch_{i}.bin" for i in range(1, 6)]
TEST = ["test_batch.bin"]
NAMES = "batches.meta.txt"
PICKLED = "data_batch_1"
WANTED = {*TRAIN, *TEST, NAMES, PICKLED}
SIZE = 32
RECORD = 1 + 3 * SIZE * SIZE  # bytes


def cifar10_folder() -> Path:
    """Where CIFAR-10 is kept if nobody says otherwise: in the user's cache folder.

    The environment variable MINIALEXNET_DATA, if set, names another parent folder.
    """
    import pooch

    return Path(os.environ.get("MINIALEXNET_DATA") or pooch.os_cache("minialexnet")) / "cifar10"


def prepare_cifar10(
    out: str | Path, source: str | Path | None = None, url: str = URL, md5: str = MD5
) -> Dataset:
    """CIFAR-10, prepared in the new folder `out`.

    Parameters
    ----------
    out : folder to make: must not exist, or be empty
    source : the archive, or a folder with the six .bin files; None downloads the archive (170 MB)
        and keeps it next to `cifar10_folder`
    url : where to download from
    md5 : checksum the archive must have, in hexadecimal digits

    Raises
    ------
    InputError
        If the download fails, the checksum is another, the source is the Python version, one of the
        six files is missing, no whole number of records or holds a label above 9, the class names
        are not ten, or `out` cannot be used.
    """
    out = vacant(out)
    source = Path(source) if source is not None else _download(url, md5)
    if source.is_dir():
        files = _folder_files(source)
    elif source.is_file():
        files = _archive_files(source, md5)
    else:
        raise InputError(f"{source}: no such file or folder")
    if PICKLED in files and TRAIN[0] not in files:
        raise _python_version(source)
    train = np.concatenate([_records(source, files, name) for name in TRAIN])
    test = np.concatenate([_records(source, files, name) for name in TEST])
    classes = files[NAMES].decode(errors="replace").split() if NAMES in files else CLASSES
    if len(classes) != 10:
        raise InputError(f"{source}: expected ten class names in {NAMES}, got {len(classes)}")
    with new_prepared(
        out,
        train=len(train),
        test=len(test),
        size=SIZE,
        classes=classes,
        source="CIFAR-10, binary version (Krizhevsky, 2009)",
    ) as splits:
        for split, records in zip(splits, (train, test), strict=True):
            split.labels[:] = records[:, 0]
            split.images[:] = records[:, 1:].reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)
    return prepared(out)


def _python_version(source: Path) -> InputError:
    return InputError(
        f"{source}: the Python version of CIFAR-10, whose pickles are not opened here; "
        f"expected the binary version, {URL}"
    )


def _download(url: str, md5: str) -> Path:
    import pooch
    from requests import HTTPError, RequestException

    cache = cifar10_folder().parent
    try:
        path = pooch.retrieve(
            url,
            known_hash=f"md5:{md5}",
            fname="cifar-10-binary.tar.gz",
            path=cache,
            progressbar=sys.stderr.isatty(),
        )
    except HTTPError as error:
        error.response.close()  # pooch leaves it open
        answer = f"{error.response.status_code} {error.response.reason}"
        raise InputError(f"{url}: the server answers {answer}") from error
    except RequestException as error:
        raise InputError(
            f"{url}: no connection ({type(error).__name__}); "
            "with the archive at hand, name it as the source"
        ) from error
    except ValueError as error:  # the checksum is another, or the address is none
        raise InputError(f"{url}: {error}") from error
    except OSError as error:
        raise InputError(f"{cache}: cannot keep the download: {error.strerror}") from error
    return Path(path)


def _folder_files(source: Path) -> dict[str, bytes]:
    """The contents of the files in a folder, or in the one that an archive unpacked in it makes."""
    inner = [source / "cifar-10-batches-bin", source / "cifar-10-batches-py"]
    folder = next((path for path in inner if path.is_dir()), source)
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name in WANTED and path.is_file()
    }


def _archive_files(source: Path, md5: str) -> dict[str, bytes]:
    """The contents of the files in an archive, none of which is written to disk."""
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "md5").hexdigest()
    if digest == PYTHON_MD5:
        raise _python_version(source)
    if digest != md5:
        raise InputError(
            f"{source}: expected checksum md5 {md5}, got {digest}; "
            "name the extracted folder as the source, if these files are right all the same"
        )
    try:
        with tarfile.open(source) as tar:
            return {
                PurePosixPath(member.name).name: tar.extractfile(member).read()
                for member in tar
                if member.isfile() and PurePosixPath(member.name).name in WANTED
            }
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        reason = " ".join(str(error).split())  # tarfile's takes several lines
        raise InputError(f"{source}: broken archive: {reason}") from error


def _records(source: Path, files: dict[str, bytes], name: str) -> np.ndarray:
    """The records of one file, (N, 3073) uint8: label, red, green, blue."""
    if name not in files:
        raise InputError(f"{source}: {name} is missing")
    content = files[name]
    if not content or len(content) % RECORD:
        raise InputError(
            f"{source}: expected records of {RECORD} bytes in {name}, got {len(content)} bytes"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() > 9:
        raise InputError(f"{source}: expected labels 0 ... 9 in {name}, got {records[:, 0].max()}")
    return records
