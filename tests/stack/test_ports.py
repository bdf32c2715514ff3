"""Ports are free ones, and each service has its own."""

import socket

from windlass.stack import ports


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not ports.is_free(server.getsockname()[1])


def test_a_chosen_port_is_free_and_none_of_the_taken() -> None:
    first = ports.choose(set())
    assert ports.is_free(first)
    taken = set(range(ports.LOWEST, ports.HIGHEST)) - {first}
    assert ports.choose(taken) == first
