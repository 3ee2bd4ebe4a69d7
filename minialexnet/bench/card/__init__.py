"""A GPU's report: is everything right there, and is it fast enough? `make gpu` writes it.

==============  =============================================================================
machine         what it is measured on
parity          every layer, and steps of training, against NumPy
repeat          the same training twice, to the bit
speed           steps in each precision and batch beside PyTorch, layers, and the whole loop
cifar           CIFAR-10's network of 18 % trained to the end
plan            what is measured, and how large
targets         what is wanted, and whether it was met
page            the report as a page to read
measure         all of it, one section after the other
==============  =============================================================================
"""
