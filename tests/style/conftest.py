"""What the tests of style share: a forecast that times one iteration of a size, not several."""

from collections.abc import Iterator

import pytest

from ganvas.style import forecast


@pytest.fixture(autouse=True, scope="module")
def _timed_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "TIMED", 1)  # half of the work of so few iterations
        yield
