"""What runs on a login node, and the talk with it.

Owns the ``*.sh`` programs and the framed dialogue with them: one connection, one exec, all values on stdin.
Knows nothing of the store, of specs or of what a run is for.  It decides one thing only: whether a submission was
accepted, refused, void or is unknown.
"""

from trainsub.remote.ask import Ask
from trainsub.remote.requests import (
    Completed,
    FindRoot,
    ListDirectory,
    ReadClock,
    ReadTail,
    Request,
    RunCommand,
    Tail,
)
from trainsub.remote.roots import check_root
from trainsub.remote.run_files import ExitFile, ForgetSecrets, ReadExits
from trainsub.remote.settle import SettleReply, recall, settle
from trainsub.remote.submission import SubmitReply, SubmitRequest
from trainsub.remote.submit import Progress, submit
from trainsub.remote.talk import EndedError

__all__ = [
    "Ask",
    "Completed",
    "EndedError",
    "ExitFile",
    "FindRoot",
    "ForgetSecrets",
    "ListDirectory",
    "Progress",
    "ReadClock",
    "ReadExits",
    "ReadTail",
    "Request",
    "RunCommand",
    "SettleReply",
    "SubmitReply",
    "SubmitRequest",
    "Tail",
    "check_root",
    "recall",
    "settle",
    "submit",
]
