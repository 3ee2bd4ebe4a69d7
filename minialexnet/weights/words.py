"""Words out of a file, in a message: one short line, whatever the file says."""


def cut(text, length: int = 60) -> str:
    """The beginning of a text, without line ends and whatever else steers a terminal."""
    text = str(text)
    if len(text) > length:
        text = text[: length - 3] + "..."
    return "".join(one if one.isprintable() else "?" for one in text)
