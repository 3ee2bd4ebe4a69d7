"""The table of results of an experiment: a CSV file with a row for each finished training.

=============  ==============================================================================
setting        what was trained
rate           learning rate at the beginning
seed           of the weights, the order of the pictures and all other chance
pictures       how many training pictures there were
epochs, steps  how long it trained
ended          "end" of the recipe; "target": the training error aimed at was reached;
               "cap": it was not; "diverged": the loss became NaN or infinite
train_error    share of 1, of up to 10,000 training pictures, when the training was over
test_error     share of 1, of all test pictures, when the training was over
train_errors   share of 1, of all pictures of each epoch, while it learnt from them
test_errors    share of 1, of 2,000 test pictures after each epoch
cpu_seconds    time that processors spent on it, tests included
data           how many pictures the data set has, and a checksum of its mean
version        of this program
=============  ==============================================================================
"""

import csv
import io
from pathlib import Path

from minialexnet.errors import InputError
from minialexnet.files import whole

COLUMNS = {
    "setting": str,
    "rate": float,
    "seed": int,
    "pictures": int,
    "epochs": float,
    "steps": int,
    "ended": str,
    "train_error": float,
    "test_error": float,
    "train_errors": str,
    "test_errors": str,
    "cpu_seconds": float,
    "data": str,
    "version": str,
}


def rows(path: str | Path) -> list[dict]:
    """The rows of a table; none if there is no such file.

    Raises
    ------
    InputError
        If the file is no table of results.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != list(COLUMNS):
                raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
            return [{name: COLUMNS[name](row[name]) for name in COLUMNS} for row in reader]
    except (ValueError, TypeError, csv.Error) as error:
        raise InputError(f"{path}: not a table of results ({error})") from error


def add(path: str | Path, row: dict) -> None:
    """Write the table with one more row, whole or not at all."""
    # Read again: another process may have added rows meanwhile.
    write(path, [*rows(path), row])


def write(path: str | Path, table: list[dict]) -> None:
    """Write a table, whole or not at all."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    with whole(path) as file:
        file.write(text.getvalue().encode())
