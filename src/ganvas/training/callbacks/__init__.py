"""What watches a run from step to step: log, samples, checkpoints, evaluation."""
