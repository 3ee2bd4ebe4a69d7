"""Marking a class's answers to exercises, without trusting them.

The checks run here, in a process that never runs a student's code. What they are given for the
student's class is a `wire.Remote`: each call goes to a process of the submission's own (`child`,
locked up by `cage`), arrays in and arrays out, and what comes back is compared here. A submission
may therefore patch NumPy or the checks, look for the answer or end its process: it reaches no more
than its own copies.
"""
