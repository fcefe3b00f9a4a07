"""Commands as people type them."""

import pytest

from ganvas import cli


@pytest.fixture
def run(capsys):
    """Run a command: (status, stdout, stderr)."""

    def call(*arguments):
        status = 0
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return call
