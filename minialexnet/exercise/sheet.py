"""The sheet that goes with a homework: one page."""

from minialexnet.exercise import EXERCISES


def sheet(homework, form: str, together: bool, answers: bool = False) -> str:
    """Markdown: what is to be done, what it is worth, how it is checked and handed in.

    Parameters
    ----------
    homework : a `Homework`
    form : "py" or "notebook"
    together : whether all exercises are in one file
    answers : with the answers, the naive definitions and the hints (for the instructor)
    """
    end = "py" if form == "py" else "ipynb"
    minutes = sum(EXERCISES[name].minutes for name in homework.exercises)
    lines = [
        f"# {homework.name}" + (": for the instructor, with answers" if answers else ""),
        "",
        f"{len(homework.exercises)} exercises, {homework.points:g} points, about "
        f"{minutes / 60:.1f} hours.",
        "",
        "| exercise | you write | file | minutes | points |",
        "|---|---|---|--:|--:|",
    ]
    for name, part in homework.exercises.items():
        one = EXERCISES[name]
        file = f"{homework.name if together else name}.{end}"
        lines.append(
            f"| {one.title} | `{one.provides}` | `{file}` | {one.minutes} | {part.points:g} |"
        )
    first = next(iter(homework.exercises))
    provides = EXERCISES[first].provides
    where = "in the cells" if form == "notebook" else "in the files"
    lines += [
        "",
        f"Write your code {where} where `# YOUR CODE HERE` stands; what is asked is said there. The"
        " exercises do not build on one another.",
        "",
        "While you work, where minialexnet is installed:",
        "",
        "    from minialexnet import exercise",
        f'    exercise.check("{first}", {provides})      a line a check, and where to look',
        f'    exercise.hint("{first}", 1)          three hints, each giving away more',
        "",
        "Marks come from the same checks with other shapes and numbers, each check by itself: half "
        "an exercise earns part of its points. NumPy (and SciPy) are there, the library's own "
        "version of what you write is not. Prints, warnings and code after your definitions do no "
        "harm; a call may take 20 s, the files may have any name.",
        "",
        "Hand in the files.",
    ]
    if not answers:
        return "\n".join(lines) + "\n"
    for name, part in homework.exercises.items():
        one = EXERCISES[name]
        lines += [
            "",
            f"## {one.title} (`{name}`)",
            "",
            f"Hidden checks with the seed {', '.join(map(str, part.seeds))}:",
            "",
            "| check | share of the points |",
            "|---|--:|",
        ]
        whole = sum(check.points for check in one.checks) or 1
        lines += [f"| {check.name} | {check.points / whole:.0%} |" for check in one.checks]
        lines += ["", "```python", one.answer.rstrip(), "```", "", "The naive definition:", ""]
        lines += ["```python", one.naive.rstrip(), "```", "", "Hints:", ""]
        lines += [f"{number}. {hint}" for number, hint in enumerate(one.hints, 1)]
    return "\n".join(lines) + "\n"
