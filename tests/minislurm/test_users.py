"""Users by their number."""

import os
import pwd

from trainsub.minislurm import users

NOBODY_KNOWN = 54321


def test_a_user_with_a_name() -> None:
    """As the system has it."""
    me = pwd.getpwuid(os.getuid())
    assert (users.name(me.pw_uid), users.group(me.pw_uid)) == (me.pw_name, me.pw_gid)
    assert users.home_and_shell(me.pw_uid) == (me.pw_dir, me.pw_shell or "/bin/sh")


def test_a_user_without_a_name() -> None:
    """As in a container that was started for a number: nothing fails for that."""
    assert users.name(NOBODY_KNOWN) == "54321"
    assert users.group(NOBODY_KNOWN) == os.getgid()
    assert users.home_and_shell(NOBODY_KNOWN) == ("/", "/bin/sh")
