"""The hub: composes sensing, routines and integrations into one running house."""

import os

# read when numpy is first imported: its matrices here are small, and threads that wait for each other's share
# of one doubled what sensing beside music costs
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
