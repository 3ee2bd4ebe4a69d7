"""How exactly a network calculates: in float32, in TF32 or in float16.

==========  ===========  =====================================================================
float32     24 bits      everywhere; the default
tf32        11 bits      of each factor of a matrix product on a GPU; all else is float32
float16     11 bits      of all that passes through the network, and the range ends at 65,504;
                         weights are kept and moved in float32, and the loss is scaled
==========  ===========  =====================================================================

Layers know nothing of it: their dtype follows the input.
"""

import copy

import numpy as np

from minialexnet.backend import Device, on_gpu, use_tf32
from minialexnet.errors import InputError
from minialexnet.layers import Layer
from minialexnet.layers.base import Wrapper
from minialexnet.layers.composite import Composite

PRECISIONS = ("float32", "tf32", "float16")
# Layers whose squares or sums leave float16. By name, so that a student's layer that takes the
# place of one of them is treated alike.
COARSE = {"LocalResponseNorm", "ResponseNorm", "AveragePool"}


def prepare(precision: str, device: Device) -> None:
    """Set up matrix products on the device.

    Raises
    ------
    InputError
        If the device cannot calculate so.
    """
    gpu = on_gpu(device.name)
    if precision == "tf32" and not gpu:
        raise InputError(
            f'precision tf32 is how a GPU multiplies: it needs --device cuda, got "{device.name}"'
        )
    if gpu:
        use_tf32(precision == "tf32")


class Half(Wrapper):
    """A network that calculates in float16 and learns in float32.

    x, y, dy, dx, the parameters and their gradients are float32; in between, copies in float16 go
    through the same layers.

    Parameters
    ----------
    network : holds the parameters
    worker : `twin(network)`, as it runs best; its parameters are replaced at each call
    scaling : the `Scaling` of the gradients; None for evaluation alone
    """

    def __init__(self, network: Layer, worker: Layer, scaling=None):
        super().__init__(network)
        self.worker, self.scaling = worker, scaling

    def forward(self, x, rng=None):
        self._renew()
        y, cache = self.worker.forward(x.astype(np.float16), rng)
        return y.astype(np.float32), cache

    def backward(self, dy, cache):
        scale = self.scaling.scale
        # An overflow is looked for, and found, in the gradients.
        with np.errstate(over="ignore", invalid="ignore"):
            dx, grads = self.worker.backward((dy * scale).astype(np.float16), cache)
            dx = None if dx is None else dx.astype(np.float32) / scale
            return dx, {name: grad.astype(np.float32) / scale for name, grad in grads.items()}

    def __call__(self, x):
        self._renew()
        return self.worker(x.astype(np.float16)).astype(np.float32)

    def _renew(self) -> None:
        # Every time: whoever put other weights into the network since then need not tell.
        self.worker.params = {
            name: array.astype(np.float16) for name, array in self.layer.params.items()
        }


def twin(network: Layer, device: Device) -> Layer:
    """The network's layers again, to be given parameters of their own, and run in float16.

    Those that float16 is too coarse for (COARSE) are worked out in float32; on a CPU so are those
    with parameters. A GPU multiplies float16 and adds up in float32; NumPy rounds a sum of float16
    after each addition, and its products of float16 are slow.
    """
    # The parameters are replaced before they are used: there is no need to copy them.
    shared = {id(array): array for array in network.params.values()}
    return _eased(copy.deepcopy(network, shared), device.name == "cpu")


def _eased(layer: Layer, on_cpu: bool) -> Layer:
    if isinstance(layer, Composite):
        layer.layers = {name: _eased(one, on_cpu) for name, one in layer.layers.items()}
        return layer
    coarse = any(kind.__name__ in COARSE for kind in type(layer).__mro__)
    return InFloat32(layer) if coarse or (on_cpu and layer.params) else layer


class InFloat32(Wrapper):
    """A layer worked out in float32, between an input and an output in float16.

    Parameters
    ----------
    layer : such as a norm, whose squares float16 cannot hold from 256 on
    """

    def forward(self, x, rng=None):
        y, cache = self.layer.forward(x.astype(np.float32), rng)
        return y.astype(x.dtype), cache

    def backward(self, dy, cache):
        dx, grads = self.layer.backward(dy.astype(np.float32), cache)
        dx = None if dx is None else dx.astype(dy.dtype)
        return dx, {name: grad.astype(dy.dtype) for name, grad in grads.items()}
