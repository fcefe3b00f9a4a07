"""Networks trained on ImageNet that come with ganvas, with their activations layer by layer."""
