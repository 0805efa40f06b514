"""Every reason of every version has words, and they are those of that reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import limit_reasons
from trainsub.slurm.reason_words import CODES
from trainsub.slurm.reasons import explain

DATA = Path(__file__).parents[1] / "data" / "slurm"
VERSIONS = ("22.05", "24.11", "26.05")
UNKNOWN = "does not know"


def recorded(version: str) -> list[str]:
    """The codes that a version has, as its own library names them (record_words.py)."""
    return (DATA / version / "reasons.txt").read_text().split()


ALL = sorted({code for version in VERSIONS for code in recorded(version)})
LIMITS = [code for code in ALL if code not in CODES]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_code_of_a_version_is_explained(version: str) -> None:
    """And the list is whole: 22.05 has 197 of them."""
    codes = recorded(version)
    assert len(codes) >= 197
    assert [code for code in codes if UNKNOWN in explain(code).words] == []


def test_there_is_no_code_that_no_version_has() -> None:
    """What is written down is Slurm's."""
    assert sorted(set(CODES) - set(ALL)) == []


def test_no_two_limits_are_told_alike() -> None:
    """Each sentence names its limit."""
    told: dict[str, list[str]] = {}
    for code in LIMITS:
        told.setdefault(explain(code).words, []).append(code)
    assert [codes for codes in told.values() if len(codes) > 1] == []


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("GRES", "GPU"),
        ("Node", "node"),
        ("License", "license"),
        ("Mem", "memory"),
        ("Energy", "energy"),
        ("Billing", "billing"),
        ("BB", "burst buffer"),
        ("Unknown", "does not name"),
        ("PerUser", "your"),
        ("PerAccount", "account"),
        ("PerNode", "on one node"),
        ("QOS", "QOS"),
        ("Assoc", "account"),
        ("Wall", "time"),
        ("Submit", "wait or run"),
        ("RunMin", "until their time limits"),
        ("MinutesPerJob", "until its time limit"),
        ("Grp", "Grp"),
    ],
)
def test_the_words_are_of_the_parts_of_the_name(part: str, says: str) -> None:
    """Whose limit, of what, and how it is counted."""
    codes = [code for code in LIMITS if part in code]
    assert codes
    assert [code for code in codes if says not in explain(code).words] == []


def test_cpus_and_minutes() -> None:
    """Slurm spells CPUs in two ways, and minutes too."""
    assert all("CPU" in explain(code).words for code in LIMITS if "cpu" in code.lower())
    minutes = [code for code in LIMITS if "Minutes" in code or "RunMins" in code]
    assert all("minutes" in explain(code).words for code in minutes)
    assert len(minutes) > 50


def test_every_limit_has_a_remedy_and_says_where_it_is_written() -> None:
    """The association's or the QOS's."""
    for code in LIMITS:
        of_account = code.startswith("Assoc")
        assert ("sacctmgr show assoc" if of_account else "sacctmgr show qos") in explain(code).remedy


@pytest.mark.parametrize(
    ("reason", "words", "remedy"),
    [
        ("Priority", "jobs of a higher priority are before it in the queue", "shorter `time`"),
        ("JobHeldUser", "it is held", "`trainsub release RUN`"),
        ("JobHeldAdmin", "holds it", "Only an administrator can release it"),
        ("DependencyNeverSatisfied", "never start", "Cancel it"),
        ("QOSMaxGRESPerUser", "your running jobs in its QOS would hold more GPUs", "fewer GPUs"),
        ("AssocGrpCPURunMinutesLimit", "more CPU-minutes before them, until their time limits", "shorter `time`"),
        ("QOSMinGRES", "asks for less than its QOS demands of each job", "another QOS"),
        ("None", "Slurm has not looked at the job yet", ""),
        ("", "Slurm has not looked at the job yet", ""),
        ("(null)", "Slurm has not looked at the job yet", ""),
        ("(Resources)", "it is first in line, and the nodes that it needs are busy", "shorter `time`"),
        ("(ReqNodeNotAvail, UnavailableNodes:n[1-3])", "these nodes are not available: n[1-3]", "`sinfo -R`"),
        ("ReqNodeNotAvail,UnavailableNodes:n1", "these nodes are not available: n1", "`sinfo -R`"),
        ("ReqNodeNotAvail, Reserved for maintenance", "reserved for maintenance", "short enough to end by then"),
        ("ReqNodeNotAvail, May be reserved for other job", "drained, or reserved for another job", "`nodelist`"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "too many nodes of the partition are down",
            "fewer nodes",
        ),
        ("launch failed requeued held", "its start failed on a node", "`trainsub release RUN`"),
        ("launch failure limit exceeded requeued held", "requeued too often", "`trainsub release RUN`"),
        ("job requeued in held state", "put back into the queue and is held", "`trainsub release RUN`"),
        ("Reservation night was deleted", "its reservation was deleted", "without `reservation`"),
        ("RaisedSignal:9(Killed)", "signal 9(Killed) ended it", "trainsub logs RUN"),
        ("Job's account not permitted to use this partition (gpu allows a not b)", "its account may not use", ""),
        ("Job's QOS not permitted to use this partition (gpu allows a not b)", "its QOS may not be used", ""),
        ("No suitable topology unit found for segment", "network's layout", "`segment`"),
    ],
)
def test_words_and_remedies(reason: str, words: str, remedy: str) -> None:
    """Codes, with and without parentheses, and the controller's sentences in their place."""
    meaning = explain(reason)
    assert words in meaning.words
    assert remedy in meaning.remedy


def test_tasks_of_an_array_that_wait_for_different_reasons() -> None:
    """squeue joins their codes in the one row that they share."""
    meaning = explain("Resources,JobArrayTaskLimit")
    assert meaning.words == f"{CODES['Resources'].words}; of other tasks: {CODES['JobArrayTaskLimit'].words}"
    assert meaning.remedy == CODES["Resources"].remedy
    assert UNKNOWN in explain("Resources,Moonlight").words


def test_what_is_not_known_is_shown_and_called_so() -> None:
    """A newer Slurm says more than is known here."""
    meaning = explain("WaitingForTheMoon")
    assert meaning.words == 'Slurm says "WaitingForTheMoon", which trainsub does not know'
    assert meaning.remedy
    assert limit_reasons.read("QOSMaxMoonPerUser") is None


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    """It never raises, and always says something."""
    assert explain(text).words
