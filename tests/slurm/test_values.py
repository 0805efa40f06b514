import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.slurm import jobids, tres, values


def test_exit_code() -> None:
    """Code and signal, in this order."""
    assert values.parse_exit_code("0:9") == values.ExitCode(code=0, signal=9)


@pytest.mark.parametrize("text", ["", "1", "1:", "a:b", "1:2:3", "-1:0"])
def test_no_exit_code(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(OutputError):
        values.parse_exit_code(text)


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("billing=2,cpu=2,gres/gpu:h100=16,gres/gpu=16,mem=8000M,node=2", 16),
        ("cpu=2,gres/gpu:a100=4,gres/gpu:h100=8", 12),
        ("cpu=2,gres/gpu=1K", 1024),
        ("cpu=2,node=1,gres/gpumem=5G", None),
        ("", None),
        ("N/A", None),
    ],
)
def test_gpus(text: str, gpus: int | None) -> None:
    """The plain key, else the sum of the typed ones, else nobody knows."""
    assert tres.gpus(text) == gpus


def test_no_gpus_where_the_cluster_records_them() -> None:
    """Then a list without them means 0, while no list at all still means nothing."""
    assert tres.gpus("cpu=2,node=1", tracked=True) == 0
    assert tres.gpus("", tracked=True) is None
    assert tres.gpus("cpu=2,gres/gpu:h100=8", tracked=True) == 8


def test_parse_tres() -> None:
    """Amounts stay text, because their units differ."""
    assert tres.parse("cpu=4,mem=8G") == {"cpu": "4", "mem": "8G"}


@pytest.mark.parametrize("text", ["cpu", "cpu=", "=4", "cpu=4,", "cpu=4,cpu=5"])
def test_no_tres(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(OutputError):
        tres.parse(text)


def test_no_number_of_gpus() -> None:
    """A count that is no number is not taken for 0."""
    with pytest.raises(OutputError, match="GPUs"):
        tres.gpus("gres/gpu=many")


@pytest.mark.parametrize(
    ("text", "job"),
    [
        ("5", jobids.JobId(job_id=5)),
        ("5_3", jobids.JobId(job_id=5, array_task=3)),
        ("43_[3-5%1]", jobids.JobId(job_id=43, array_pending="3-5%1")),
        ("7+1", jobids.JobId(job_id=7, component=1)),
    ],
)
def test_job_ids(text: str, job: jobids.JobId) -> None:
    """All forms that the commands print."""
    assert jobids.parse(text) == job


@pytest.mark.parametrize("text", ["", "x", "5_", "5.batch", "5_[3", "-5", "5\n"])
def test_no_job_id(text: str) -> None:
    """Steps and cut texts are none."""
    with pytest.raises(OutputError):
        jobids.parse(text)


@given(st.text() | st.text(alphabet="cpugres/=,:0123456789KM_[]+%"))
def test_any_text_is_a_value_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    for parse in (values.parse_exit_code, tres.gpus, jobids.parse):
        with contextlib.suppress(OutputError):
            parse(text)


@pytest.mark.parametrize("text", ["4294967296", "9" * 40, "0", "", "-1", "٣", "5_3"])
def test_what_slurm_cannot_give_is_no_plain_id(text: str) -> None:
    """Its ids have 32 bits, and 0 is none."""
    assert jobids.plain("4294967295") == 2**32 - 1
    assert jobids.plain(text) is None


def test_parts_of_an_id_that_slurm_cannot_give() -> None:
    """As the commands print them."""
    with pytest.raises(OutputError):
        jobids.parse("4294967296_1")
