"""Does response normalisation help? (Paper, section 3.3.)"""

from minialexnet.experiments.base import Experiment, Training, each

LRN = Experiment(
    "with the paper's response normalisation behind both convolutional layers, and without",
    each(Training("without"), Training("with", network={"norm": True})),
)
