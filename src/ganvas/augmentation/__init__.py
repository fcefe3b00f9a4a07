"""Differentiable augmentation of the discriminator's input, and its adaptive probability."""
