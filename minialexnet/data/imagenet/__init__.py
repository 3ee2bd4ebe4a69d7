"""ImageNet (ILSVRC-2012) in whatever form somebody has it.

==========================================  ====================================================
the official archives                       ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar,
                                            ILSVRC2012_devkit_t12.tar.gz
folders                                     train/n01440764/..., val/n01440764/...
folders, validation pictures in one heap    train/n01440764/..., val/..., and labels
Kaggle's copy                               ILSVRC/Data/CLS-LOC/train, .../val, and labels
Hugging Face's copy                         train-*.parquet, validation-*.parquet (also in data/)
==========================================  ====================================================

Labels are the development kit (archive or folder) or Kaggle's LOC_val_solution.csv. Classes are
numbered in the order of their WordNet IDs: n01440764, the tench, is class 0. That is how published
networks number them, though not cuda-convnet, which follows the development kit.
"""

import dataclasses
from pathlib import Path

import numpy as np

from minialexnet.data.folder import demand_same_classes
from minialexnet.data.imagenet import archives, folders, labels, parquet
from minialexnet.data.imagenet.names import known_words, named
from minialexnet.data.source import Source
from minialexnet.errors import InputError

# What was published: classes, training pictures, validation pictures.
PUBLISHED = (1000, 1_281_167, 50_000)
# Where the pictures lie in Kaggle's copy.
KAGGLE = Path("ILSVRC", "Data", "CLS-LOC")


def imagenet_source(src: str | Path) -> Source:
    """The pictures of a copy of ImageNet, which is recognised by what is in the folder.

    Raises
    ------
    InputError
        If the folder holds no copy, more than one, or a part of one; or it is broken.
    """
    src = Path(src)
    if not src.is_dir():
        what = "expected a folder, got a file" if src.exists() else "no such folder"
        raise InputError(f"{src}: {what}")
    kind, where = _one(src, "training", _training(src))
    found = []
    if kind == "parquet":
        _, heap = _one(src, "validation", _parquet(src, "validation"))
        wnids, train, test = parquet.parquet_source(where, heap)
        words, val = {}, heap[0].parent
        found.append(f"{where[0].parent}: {len(where)} + {len(heap)} parquet files")
    else:
        read = archives.training_archive if kind == "archive" else folders.training_folders
        wnids, train = read(where)
        found.append(f"{where}: training pictures")
        kind, val = _one(src, "validation", _validation(src))
        found.append(f"{val}: validation pictures")
        known, words, told = _labels(src)
        if kind == "folders":
            demand_same_classes(src, wnids, folders.class_folders(val))
            test = folders.validation_folders(val, wnids)
        else:
            if not told:
                raise InputError(
                    f"{val}: what do these pictures show? Expected ILSVRC2012_devkit_t12.tar.gz "
                    f"(or its folder) or {labels.SOLUTION} in {src}, got neither"
                )
            heap = archives.validation_archive if kind == "archive" else folders.validation_heap
            test = heap(val)
            numbers = labels.labelled(test.names, known, wnids, told)
            test = dataclasses.replace(test, labels=numbers)
            found.append(f"{told}: what they show")
    missing = [wnids[m] for m in np.setdiff1d(np.arange(len(wnids)), test.labels)]
    if missing:
        raise InputError(f"{val}: no validation pictures of {', '.join(missing[:5])}")
    counts = (len(wnids), len(train.labels), len(test.labels))
    found.append(_compared(counts, wnids))
    return Source("ImageNet, ILSVRC-2012", tuple(found), named(wnids, words), train, test)


def _one(src: Path, what: str, candidates: list):
    """The one place where something can be; InputError if there is none, or a choice."""
    if not candidates:
        raise InputError(
            f"{src}: found no {what} pictures of ImageNet; expected ILSVRC2012_img_*.tar, "
            f"folders train and val with a folder for each class (n01440764 ...), {KAGGLE}, or "
            "train-*.parquet and validation-*.parquet"
        )
    if len(candidates) > 1:
        places = " and ".join(
            str(where[0].parent / "*.parquet" if isinstance(where, list) else where)
            for _, where in candidates
        )
        raise InputError(f"{src}: found {what} pictures twice, {places}: move one of them away")
    return candidates[0]


def _archive(src: Path, what: str) -> list:
    return [("archive", path) for path in sorted(src.glob(f"ILSVRC*_img_{what}.tar"))]


def _parquet(src: Path, what: str) -> list:
    parts = (sorted(folder.glob(f"{what}-*.parquet")) for folder in (src, src / "data"))
    return [("parquet", paths) for paths in parts if paths]


def _roots(src: Path) -> list[Path]:
    return [src, *(src / Path(*KAGGLE.parts[n:]) for n in range(len(KAGGLE.parts)))]


def _training(src: Path) -> list:
    unpacked = [root / "train" for root in _roots(src) if folders.class_folders(root / "train")]
    return _archive(src, "train") + [("folders", p) for p in unpacked] + _parquet(src, "train")


def _validation(src: Path) -> list:
    found = _archive(src, "val")
    for root in _roots(src):
        for folder in (root / "val", root / "validation"):
            if folders.class_folders(folder):
                found.append(("folders", folder))
            elif folder.is_dir() and any(folder.glob("ILSVRC*")):
                found.append(("heap", folder))
    return found


def _labels(src: Path) -> tuple[dict[int, str], dict[str, str], str]:
    """What is known of the validation pictures, of the classes' words, and from where."""
    known, words, told = {}, {}, []
    kits = [path for path in sorted(src.glob("ILSVRC*_devkit*")) if path.suffix != ".md5"]
    sources = [(path, *labels.devkit_labels(path, labels.devkit_files(path))) for path in kits]
    if (path := src / labels.SOLUTION).is_file():
        mapping = src / labels.MAPPING
        of_kaggle = labels.kaggle_words(mapping) if mapping.is_file() else {}
        sources.append((path, labels.kaggle_labels(path), of_kaggle))
    for path, here, words_here in sources:
        if told and here != known:
            number = min(n for n in known.keys() | here.keys() if known.get(n) != here.get(n))
            raise InputError(
                f"{path} and {told[0]} disagree about validation picture {number}: "
                f"{here.get(number)} and {known.get(number)}; move the wrong one away"
            )
        known, words = here, {**words_here, **words}
        told.append(str(path))
    return known, words, " and ".join(told)


def _compared(counts: tuple[int, int, int], wnids) -> str:
    """The counts, and whether they are those of the whole ILSVRC-2012."""
    said = f"{counts[1]:,} + {counts[2]:,} pictures of {counts[0]:,} classes"
    if counts == PUBLISHED and list(wnids) == list(known_words()):
        return f"{said}: all of ILSVRC-2012"
    whole = f"{PUBLISHED[1]:,} + {PUBLISHED[2]:,} of {PUBLISHED[0]:,}"
    return f"{said}: not the whole ILSVRC-2012, which has {whole}"
