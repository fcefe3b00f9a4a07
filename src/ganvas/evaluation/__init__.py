"""How good samples are: metrics over the features of networks that look at images."""
