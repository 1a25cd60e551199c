"""``make bench``: this product against its peers and its limits, side by side, on data made here.

A figure that counts is a ratio: the sides alternate in one run, each takes the median of its runs. Nothing here is a
test: machines are shared, and a timed test would fail for nothing.
"""
