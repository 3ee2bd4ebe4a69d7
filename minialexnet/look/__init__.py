"""Pictures: of runs, of what networks have learnt, and the drawings of the lessons.

One kind a file. Every function returns the figure, on a transparent ground, in colours that can be
read in light and in dark.
"""

from minialexnet.look.attention import attention
from minialexnet.look.bars import bars
from minialexnet.look.confusion import confusion
from minialexnet.look.curves import curves
from minialexnet.look.descent import descent
from minialexnet.look.effects import difference, effects
from minialexnet.look.experiments import experiment, spread
from minialexnet.look.filters import filters
from minialexnet.look.folding import folding
from minialexnet.look.functions import functions
from minialexnet.look.graph import graph
from minialexnet.look.grids import grids
from minialexnet.look.inside import (
    agreement,
    confused,
    features,
    last_hidden,
    nearest,
    occlusion,
    outputs,
    saliency,
)
from minialexnet.look.lines import lines
from minialexnet.look.maps import feature_maps
from minialexnet.look.neighbours import neighbours
from minialexnet.look.pictures import channels, pictures
from minialexnet.look.predictions import predictions, short
from minialexnet.look.roofline import roofline
from minialexnet.look.scales import histograms, scales
from minialexnet.look.towers import towers
from minialexnet.look.unrolling import unrolling

__all__ = [
    "agreement",
    "attention",
    "bars",
    "channels",
    "confused",
    "confusion",
    "curves",
    "descent",
    "difference",
    "effects",
    "experiment",
    "feature_maps",
    "features",
    "filters",
    "folding",
    "functions",
    "graph",
    "grids",
    "histograms",
    "last_hidden",
    "lines",
    "nearest",
    "neighbours",
    "occlusion",
    "outputs",
    "pictures",
    "predictions",
    "roofline",
    "saliency",
    "scales",
    "short",
    "spread",
    "towers",
    "unrolling",
]
