"""Shipped models, their cards and the one door to ONNX Runtime."""
