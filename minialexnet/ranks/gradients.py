"""All gradients of a network in one array, so that one message takes them to the other ranks."""

from collections.abc import Mapping

from minialexnet.backend import namespace


class Flat:
    """One flat buffer, and where in it the gradient of each parameter lies.

    Parameters
    ----------
    grads : {name: array}, of one dtype and on one device; for names, shapes and places alone

    Attributes
    ----------
    buffer : (D,) of all gradients, one after the other
    """

    def __init__(self, grads: Mapping):
        xp = namespace(*grads.values())
        self.places, end = {}, 0
        for name, grad in grads.items():
            self.places[name] = slice(end, end + grad.size), grad.shape
            end += grad.size
        self.buffer = xp.zeros(end, next(iter(grads.values())).dtype)

    def put(self, grads: Mapping, weight: float) -> None:
        """Fill the buffer with the gradients times a weight."""
        for name, (place, _) in self.places.items():
            self.buffer[place] = grads[name].reshape(-1) * weight

    @property
    def grads(self) -> dict:
        """{name: array}, views of the buffer."""
        return {
            name: self.buffer[place].reshape(shape) for name, (place, shape) in self.places.items()
        }
