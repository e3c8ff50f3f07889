# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Many connections: the daemon takes 2 s to end each, which is why they have a machine of
their own."""

import time

from simulated import ADDRESS
from stack import assert_left_as_found, firmware, info, assert_updated, update


def test_fifty_connections_in_a_row(board):
    for _ in range(50):
        result = info(board)
        assert firmware(result) == "1.0.0"
        assert "trying again" not in result.stderr
    assert_left_as_found()
