"""Differentiable augmentation of what the discriminator sees, and how much of it."""
