"""Train generative image models on your own pictures."""
