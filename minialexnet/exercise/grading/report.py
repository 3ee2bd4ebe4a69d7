"""A class's marks as a table, as a page for each student, and in short."""

import csv
import io
from html import escape as html_escape
from statistics import fmean, median

from minialexnet.exercise import EXERCISES

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2em .6em;text-align:left}"
    "pre{background:#f4f4f4;padding:.6em;white-space:pre-wrap}"
)


def escape(text: str) -> str:
    """Text that no browser takes for HTML, in Markdown neither."""
    return html_escape(text, quote=False)


def total(one: dict) -> float:
    """A student's points."""
    return round(sum(part["earned"] for part in one["exercises"].values()), 2)


def attempts(one: dict) -> list[str]:
    """What looks like an attempt on the marks, each line once."""
    return list(dict.fromkeys(a for part in one["exercises"].values() for a in part["attempts"]))


def table(homework, class_: dict) -> str:
    """CSV: a line a student, points for each exercise, their sum, and how much was remarked.

    Parameters
    ----------
    class_ : {student: what `mark.marks` returns}
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *homework.exercises, "total", "of", "remarks", "attempts"])
    for student, one in class_.items():
        parts = one["exercises"].values()
        remarks = len(one["remarks"]) + sum(len(part["remarks"]) for part in parts)
        earned = [f"{part['earned']:.2f}" for part in parts]
        # A spreadsheet would take a name that begins so for a formula.
        name = f"'{student}" if student.startswith(("=", "+", "-", "@")) else student
        row = [name, *earned, f"{total(one):.2f}", f"{homework.points:g}", remarks]
        writer.writerow([*row, len(attempts(one))])
    return out.getvalue()


def markdown(homework, student: str, one: dict) -> str:
    """A student's page."""
    lines = [
        f"# {escape(student)}: {homework.name}",
        "",
        f"**{total(one):g} of {homework.points:g} points**",
    ]
    lines += _list("", one["remarks"])
    for name, part in one["exercises"].items():
        lines += [
            "",
            f"## {EXERCISES[name].title}: {part['earned']:g} of {part['points']:g}",
            "",
            "| check | share of the points | |",
            "|---|--:|---|",
        ]
        whole = sum(check["points"] for check in part["checks"]) or 1
        lines += [
            f"| {check['check']} | {check['points'] / whole:.0%} | {verdict(check)} |"
            for check in part["checks"]
        ]
        for names, message in _messages(part):
            lines += ["", f"{names}:", ""]
            lines += [f"    {line}" for line in message.splitlines()]
        lines += _list("Remarks:", part["remarks"])
        lines += _list("Noted for the instructor (it has changed no mark):", part["attempts"])
    return "\n".join(lines) + "\n"


def page(homework, student: str, one: dict) -> str:
    """The same in HTML."""
    title = f"{escape(student)}: {escape(homework.name)}"
    lines = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style><h1>{title}</h1>",
        f"<p><b>{total(one):g} of {homework.points:g} points</b></p>",
        *_items("", one["remarks"]),
    ]
    for name, part in one["exercises"].items():
        title = escape(EXERCISES[name].title)
        lines.append(f"<h2>{title}: {part['earned']:g} of {part['points']:g}</h2>")
        lines.append("<table><tr><th>check<th>share of the points<th></tr>")
        whole = sum(check["points"] for check in part["checks"]) or 1
        lines += [
            f"<tr><td>{escape(check['check'])}<td>{check['points'] / whole:.0%}"
            f"<td>{verdict(check)}</tr>"
            for check in part["checks"]
        ]
        lines.append("</table>")
        for names, message in _messages(part):
            lines.append(f"<p>{escape(names)}:</p><pre>{escape(message)}</pre>")
        lines += _items("Remarks:", part["remarks"])
        lines += _items("Noted for the instructor (it has changed no mark):", part["attempts"])
    return "\n".join(lines) + "\n"


def verdict(check: dict) -> str:
    if not check["message"] and check["earned"] == check["points"]:
        return "passed"
    if not check["points"]:
        return "remark"
    return "**failed**" if not check["earned"] else f"{check['earned']:g} of {check['points']:g}"


def _messages(part) -> list[tuple[str, str]]:
    """What was said, once, with the names of the checks that said so."""
    said: dict[str, list[str]] = {}
    for check in part["checks"]:
        if check["message"]:
            said.setdefault(check["message"], []).append(check["check"])
    return [(", ".join(names), message) for message, names in said.items()]


def _list(title, lines) -> list[str]:
    if not lines:
        return []
    return ["", *([title, ""] if title else []), *(f"* {escape(line)}" for line in lines)]


def _items(title, lines) -> list[str]:
    if not lines:
        return []
    return [f"<p>{title}</p>" * bool(title), "<ul>", *(f"<li>{escape(x)}" for x in lines), "</ul>"]


def summary(homework, class_: dict, protection) -> str:
    """Markdown: the class in numbers, the checks that failed most, who to look at, how safe."""
    totals = [total(one) for one in class_.values()]
    lines = [
        f"# {homework.name}: {len(class_)} students",
        "",
        f"Of {homework.points:g} points: mean {fmean(totals):.2f}, median {median(totals):.2f}, "
        f"lowest {min(totals):g}, highest {max(totals):g}.",
        "",
        "| exercise | handed in | mean | of | full marks |",
        "|---|--:|--:|--:|--:|",
    ]
    failed = []
    for name, worth in homework.exercises.items():
        parts = [one["exercises"][name] for one in class_.values()]
        there = [part for part in parts if part["file"]]
        full = sum(part["earned"] == part["points"] for part in parts)
        mean = fmean(part["earned"] for part in parts)
        lines.append(f"| {name} | {len(there)} | {mean:.2f} | {worth.points:g} | {full} |")
        for number, check in enumerate(EXERCISES[name].checks):
            count = sum(bool(part["checks"][number]["message"]) for part in there)
            failed.append((-count, name, number, check.name, len(there)))
    worst = [one for one in sorted(failed) if one[0]][:12]
    if worst:
        lines += ["", "The checks that failed most, among those who handed something in:", ""]
        lines += ["| exercise | check | failed |", "|---|---|--:|"]
        lines += [f"| {name} | {check} | {-n} of {there} |" for n, name, _, check, there in worst]
    else:
        lines += ["", "No check failed among those who handed something in."]
    unmarked = [escape(student) for student, one in class_.items() if not one["marked"]]
    if unmarked:
        lines += ["", f"**Could not be marked, and have no points: {', '.join(unmarked)}.**"]
    tried = {student: found for student, one in class_.items() if (found := attempts(one))}
    lines += ["", f"Attempts on the marks, or what looks like them: {len(tried)} students."]
    for student, found in tried.items():
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        lines.append(f"* {escape(student)}: {escape(found[0])}{more}")
    held, lacking = protection.told()
    lines += ["", "In force while they were marked:", "", *(f"* {line}" for line in held)]
    lines += ["", "Not in force on this system:", ""]
    lines += [f"* {line}" for line in lacking] or ["* nothing that this program knows of"]
    return "\n".join(lines) + "\n"
