"""The hub: composes sensing, routines and integrations into one running house."""
