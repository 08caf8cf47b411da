"""Work that one process does at a time."""

import pytest

from recommend.locks import Lock, alone
from tests.locks import held_elsewhere, is_free

pytestmark = pytest.mark.django_db


def test_one_process_is_alone_and_others_do_other_work():
    with alone(Lock.FIT) as mine:
        assert mine
        assert not is_free(Lock.FIT)
        assert all(is_free(lock) for lock in Lock if lock != Lock.FIT)
    assert is_free(Lock.FIT)


def test_what_another_process_does_is_left_to_it_until_it_is_done():
    with held_elsewhere(Lock.FIT), alone(Lock.FIT) as mine:
        assert not mine
    with alone(Lock.FIT) as mine:
        assert mine


def test_work_that_fails_lets_the_next_one_begin():
    with pytest.raises(ZeroDivisionError), alone(Lock.FIT):
        raise ZeroDivisionError
    assert is_free(Lock.FIT)
