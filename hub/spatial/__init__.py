"""Spatial sound as pure signal processing: layouts, filters, rendering."""
