"""What the validation pictures show, where they lie in one heap: the devkit's labels or Kaggle's.

The development kit numbers the classes from 1 in an order of its own, which only its meta.mat
knows; published networks number them from 0 in the order of their WordNet IDs. Mixing them up
leaves a network at guessing. Both kinds of labels are turned into WordNet IDs here, and no number
of the kit goes any further.
"""

import csv
import io
import re
from pathlib import Path

import numpy as np

from minialexnet.data.imagenet.archives import texts
from minialexnet.data.imagenet.matlab import table
from minialexnet.data.imagenet.names import WNID
from minialexnet.errors import InputError, reading

TRUTH = "ILSVRC2012_validation_ground_truth.txt"
META = "meta.mat"
SOLUTION = "LOC_val_solution.csv"
MAPPING = "LOC_synset_mapping.txt"
# ILSVRC2012_val_00000001.JPEG, with or without what Hugging Face adds to it.
VALIDATION = re.compile(
    r"(ILSVRC2012_val_(?P<number>\d{8}))(?:_(?P<wnid>n\d{8}))?(?:\.JPEG)?",
    re.IGNORECASE | re.ASCII,
)


def devkit_files(path: Path) -> dict[str, bytes]:
    """The two files that matter of a development kit, as an archive or as a folder.

    Raises
    ------
    InputError
        If one of them is missing, or the archive is broken.
    """
    if path.is_dir():
        folder = path / "data" if (path / "data").is_dir() else path
        files = {n: (folder / n).read_bytes() for n in (TRUTH, META) if (folder / n).is_file()}
    else:
        files = texts(path, TRUTH, META)
    for name in (TRUTH, META):
        if name not in files:
            raise InputError(f"{path}: expected the development kit's {name} in it, got none")
    return files


def devkit_labels(path: Path, files: dict[str, bytes]) -> tuple[dict[int, str], dict[str, str]]:
    """The kit's labels: the WordNet ID of each picture by its number, from 1, and words by ID."""
    ids, words = _synsets(path, files[META])
    truth = files[TRUTH].decode(errors="replace").split()
    labels = {}
    for number, line in enumerate(truth, 1):
        if line not in ids:
            raise InputError(
                f"{path}: {TRUTH}, line {number}: expected the ILSVRC2012_ID of a class of "
                f"{META}, got {line[:40]!r}"
            )
        labels[number] = ids[line]
    return labels, words


def _synsets(path: Path, content: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """WordNet IDs by ILSVRC2012_ID, and words by WordNet ID, of the classes in meta.mat."""
    with reading(f"{path}: {META} is broken"):
        # Synsets above the classes, such as "animal", have children and no pictures of their own.
        leaves = [row for row in table(content, "synsets") if int(row["num_children"]) == 0]
        ids = {str(int(row["ILSVRC2012_ID"])): row["WNID"] for row in leaves}
        words = {row["WNID"]: row["words"] or "" for row in leaves}
    if {len(ids), len(words)} != {len(leaves)} or not all(WNID.fullmatch(str(w)) for w in words):
        raise InputError(f"{path}: {META}: expected a number and a WordNet ID for each class")
    return ids, words


def kaggle_labels(path: Path) -> dict[int, str]:
    """The labels in Kaggle's LOC_val_solution.csv: WordNet IDs by the number of the picture."""
    try:
        head, *rows = csv.reader(io.StringIO(path.read_text() or "\n"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: expected text: {error}") from error
    if [word.strip() for word in head] != ["ImageId", "PredictionString"]:
        raise InputError(f"{path}: expected the columns ImageId, PredictionString")
    labels = {}
    for line, row in enumerate(rows, 2):
        name = VALIDATION.fullmatch(row[0].strip()) if row else None
        wnid = row[1].split()[:1] if len(row) == 2 else []
        if not (name and wnid and WNID.fullmatch(wnid[0])):
            raise InputError(
                f"{path}, line {line}: expected a picture and its WordNet ID with boxes, "
                f"got {','.join(row)[:60]!r}"
            )
        number = int(name["number"])
        if labels.setdefault(number, wnid[0]) != wnid[0]:
            raise InputError(
                f"{path}, line {line}: validation picture {number} is {wnid[0]}, and "
                f"{labels[number]} before"
            )
    return labels


def kaggle_words(path: Path) -> dict[str, str]:
    """The words in Kaggle's LOC_synset_mapping.txt, by WordNet ID."""
    lines = path.read_text(errors="replace").splitlines()
    pairs = (line.strip().partition(" ") for line in lines)
    return {wnid: words for wnid, _, words in pairs if WNID.fullmatch(wnid)}


def labelled(names: np.ndarray, known: dict[int, str], classes, where: str) -> np.ndarray:
    """The label of each validation picture.

    Parameters
    ----------
    names : (N,) bytes, of the pictures
    known : WordNet IDs by the number in a picture's name
    classes : WordNet IDs, of label 0, of label 1 ...
    where : what messages call the labels

    Returns
    -------
    (N,) int64

    Raises
    ------
    InputError
        If a picture has no label, or shows something that is no class.
    """
    places = {wnid: m for m, wnid in enumerate(classes)}
    labels = np.empty(len(names), np.int64)
    seen = set()
    for n, name in enumerate(names.tolist()):
        name = name.decode(errors="replace")
        match = VALIDATION.fullmatch(name)
        number = int(match["number"]) if match else 0
        wnid = known.get(number)
        if wnid is None:
            raise InputError(f"{where}: no label for the validation picture {name}")
        if number in seen:
            raise InputError(f"{where}: validation picture {number} is there twice")
        seen.add(number)
        if wnid not in places:
            raise InputError(
                f"{where}: {name} shows {wnid}, of which there are no training pictures"
            )
        labels[n] = places[wnid]
    if len(known) != len(names):
        raise InputError(
            f"{where}: labels for {len(known):,} validation pictures, but there are {len(names):,}"
        )
    return labels
