"""One issue, one detector: a pure function of the window of training signals."""
