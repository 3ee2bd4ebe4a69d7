"""How all pictures look: on nothing, in colours that can be read in light and in dark."""

from functools import wraps

import matplotlib

# Grey in the middle: 4 to 1 against white and against JupyterLab's dark page.
INK = "#7d8590"
FAINT = "#7d859040"
BLUE, ORANGE, GREEN, RED, PURPLE = "#3b82d0", "#e8811a", "#2f9e5b", "#d6455a", "#9067c6"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE)

_STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "font.size": 10,
}


def readable(draw):
    """A drawing function whose figures have this style, whatever the user's own settings are."""

    @wraps(draw)
    def styled(*arguments, **settings):
        with matplotlib.rc_context(_STYLE):
            return draw(*arguments, **settings)

    return styled
