"""Style mixing takes exactly the layers that were asked for."""

import pytest
import torch

from ganvas.generate.style_mixing import cross


def test_exactly_the_wanted_layers_are_of_the_columns():
    rows, columns = torch.zeros(2, 6, 4), torch.ones(3, 6, 4)
    columns *= torch.arange(1, 4).view(3, 1, 1)
    table = cross(rows, columns, range(2, 5))
    assert table.shape == (2, 3, 6, 4)
    for column in range(3):
        expected = [0, 0, column + 1, column + 1, column + 1, 0]
        assert table[1, column, :, 0].tolist() == expected
    assert rows.sum() == 0, "what was given stays as it is"


@pytest.mark.parametrize("layers", [range(2, 7), range(-1, 2), range(3, 3)])
def test_layers_that_there_are_not_are_refused(layers):
    with pytest.raises(ValueError, match="0 to 5"):
        cross(torch.zeros(1, 6, 2), torch.zeros(1, 6, 2), layers)
