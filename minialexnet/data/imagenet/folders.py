"""ImageNet unpacked: a folder for each class, the validation pictures perhaps in one heap."""

from pathlib import Path

import numpy as np

from minialexnet.data.folder import in_class_folders, picture_names
from minialexnet.data.imagenet.labels import VALIDATION
from minialexnet.data.imagenet.names import WNID
from minialexnet.data.source import FolderPictures
from minialexnet.errors import InputError


def class_folders(folder: Path) -> tuple[str, ...]:
    """The WordNet IDs that have a folder in this one, in their order; none if it is no folder."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(p.name for p in folder.iterdir() if WNID.fullmatch(p.name) and p.is_dir()))


def training_folders(folder: Path) -> tuple[tuple[str, ...], FolderPictures]:
    """The classes and the pictures of a folder that holds a folder for each class."""
    wnids = class_folders(folder)
    if len(wnids) < 2:
        raise InputError(f"{folder}: expected two classes or more, got {len(wnids)}")
    return wnids, in_class_folders(folder, wnids)


def validation_folders(folder: Path, wnids) -> FolderPictures:
    """The validation pictures where each class has a folder, in the order of their numbers."""
    parts = in_class_folders(folder, wnids)
    # The numbers go across the classes: sorted by name, the order is that of the official archive.
    order = np.argsort(parts.names, kind="stable")
    names = parts.names[order]
    for name in names[1:][names[1:] == names[:-1]].tolist():
        name = name.decode(errors="replace")
        if VALIDATION.fullmatch(name):
            raise InputError(f"{folder}: {name} is in two classes")
    return FolderPictures(names, parts.labels[order], parts.folders, parts.where[order])


def validation_heap(folder: Path) -> FolderPictures:
    """The validation pictures where they lie in one folder; their labels are all -1 so far."""
    names = picture_names(folder)
    return FolderPictures(
        names, np.full(len(names), -1), (str(folder),), np.zeros(len(names), np.int64)
    )
