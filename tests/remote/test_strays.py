from datetime import UTC, datetime

import pytest

from trainsub.errors import OutputError
from trainsub.remote import strays
from trainsub.remote.strays import Marked

US = "\x1f"
RUN = "demo-3f9a1c2e"
MARK = f"trainsub:{RUN}:1"
AT = datetime(2026, 7, 1, tzinfo=UTC)
EPOCH = str(int(AT.timestamp()))
RUNS = ("RUNNING", "None")
WAITS = ("PENDING", "BadConstraints")
REFUSED = ("FAILED", "BadConstraints")


def rows(*lines: tuple[str, ...]) -> str:
    """Rows as the commands print them."""
    return "".join(US.join(line) + US + "\n" for line in lines)


def test_the_queries() -> None:
    """One each, for the user's own jobs."""
    assert strays.queue_argv(slurm_bin="/opt/bin")[:3] == ["/opt/bin/squeue", "--me", "--all"]
    query = strays.accounts_argv(AT)
    assert query[0] == "sacct"
    assert f"uts{EPOCH}" in query
    assert query[-1].endswith("Comment,SubmitLine")


def test_jobs_with_our_comment_are_ours() -> None:
    """The tasks of an array are one job; others' jobs are none of ours, whatever they are called."""
    text = rows(
        ("7", "7", "N/A", EPOCH, *RUNS, "/root/runs/demo", f"site=1 {MARK}"),
        ("9", "8", "0", EPOCH, *RUNS, "/w", f"trainsub:{RUN}:2"),
        ("8", "8", "1-5", EPOCH, *WAITS, "/w", f"trainsub:{RUN}:2"),
        ("5", "5", "N/A", EPOCH, *RUNS, "/w", ""),
        ("6", "6", "N/A", EPOCH, *RUNS, "/w", "trainsub: mine"),
    )
    assert strays.parse_queue(text) == [
        Marked(7, RUN, 1, AT, "/root/runs/demo"),
        Marked(8, RUN, 2, AT, "/w", "0,1,2,3,4,5"),
    ]


def test_the_accounts_keep_the_command_line() -> None:
    """Where the comment itself is not kept."""
    line = f"sbatch --parsable --job-name={RUN} --comment={MARK} --chdir=/w /s"
    text = rows(
        ("7", EPOCH, *RUNS, "/w", MARK, "sbatch x\n|"),
        ("8_[0-3%2]", "Unknown", *WAITS, "/w", "", line),
        ("8_1", "Unknown", *RUNS, "/w", "", line),
        ("9", EPOCH, *RUNS, "/w", "", "sbatch other"),
    )
    assert strays.parse_accounts(text) == [Marked(7, RUN, 1, AT, "/w"), Marked(8, RUN, 1, None, "/w", "0,1,2,3")]


def test_what_is_seen_of_one_array_is_put_together() -> None:
    """Where a list was cut off it is not known which tasks there are; a row that names none adds none."""
    seen = [Marked(8, RUN, 1, AT, "/w", array) for array in (None, "0,2", "1", "")]
    plain, some, other, cut = seen
    assert strays.joined(plain, plain).array is None
    assert strays.joined(plain, some).array == "0,2"
    assert strays.joined(some, other) == Marked(8, RUN, 1, AT, "/w", "0,1,2")
    assert strays.joined(cut, some).array == ""
    text = rows(("9", "8", "0", EPOCH, *RUNS, "/w", MARK), ("8", "8", "1,3,5...", EPOCH, *WAITS, "/w", MARK))
    assert strays.parse_queue(text) == [Marked(8, RUN, 1, AT, "/w", "")]


def test_what_sbatch_refused_is_no_job() -> None:
    """Slurm keeps a record of it; a job that waits for the same reason is one, and one that failed by itself."""
    queue = rows(
        ("7", "N/A", "N/A", EPOCH, *REFUSED, "/w", MARK),
        ("8", "8", "0-3", EPOCH, *REFUSED, "/w", MARK),
        ("9", "N/A", "N/A", EPOCH, "FAILED", "NonZeroExitCode", "/w", MARK),
        ("10", "N/A", "N/A", EPOCH, *WAITS, "/w", MARK),
    )
    assert [job.job_id for job in strays.parse_queue(queue)] == [9, 10]
    accounts = rows(("7", EPOCH, *REFUSED, "/w", MARK, ""), ("9", EPOCH, "FAILED", "None", "/w", MARK, ""))
    assert [job.job_id for job in strays.parse_accounts(accounts)] == [9]


@pytest.mark.parametrize(
    "text", ["7\x1f", "nothing that Slurm says\n", f"7{US}soon{US}RUNNING{US}None{US}/w{US}{MARK}{US}x{US}\n"]
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    """Nothing is guessed from it."""
    with pytest.raises(OutputError):
        strays.parse_accounts(text)
    with pytest.raises(OutputError):
        strays.parse_queue(text)
