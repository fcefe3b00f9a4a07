"""Evaluation of samples: metrics on features of pretrained networks."""
