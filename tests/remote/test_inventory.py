"""What is under a remote root, read by every shell that a login node may have."""

import os
import time
from pathlib import Path

import pytest
from loginnode import Cluster

from trainsub.errors import OutputError, RemoteFileError
from trainsub.remote.frames import Frame
from trainsub.remote.inventory import BATCH, LARGEST, Found, InventoryAsk, ListRuns, TakeRuns

RUN = "demo-3f9a1c2e"
NAMES = ["a b-3f9a1c2e", "-rf", "x\ny-3f9a1c2e", "$(touch pwned)-3f9a1c2e", "'\"-3f9a1c2e", ".hidden", "ä-3f9a1c2e"]


def ask(cluster: Cluster) -> InventoryAsk:
    """A conversation."""
    return InventoryAsk(cluster.login, "~/.trainsub", slurm_bin=str(cluster.slurm.bin))


def make(cluster: Cluster, run: str = RUN, owner: str | None = "7", **files: bytes) -> Path:
    """Make the directory of a run."""
    folder = cluster.root / "runs" / run
    folder.mkdir(parents=True)
    if owner is not None:
        (folder / "owner.1").symlink_to(owner)
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def snapshot(root: Path) -> list[tuple[str, int]]:
    """Everything below, and when it was changed."""
    return sorted((str(path), path.lstat().st_mtime_ns) for path in (root, *root.rglob("*")))


def test_there_is_nothing_yet(cluster: Cluster) -> None:
    """Nor is anything made by looking."""
    with ask(cluster) as talk:
        assert talk.batch(ListRuns())[0] is None
    assert not cluster.root.exists()


def test_names_are_names(cluster: Cluster) -> None:
    """Whatever they are; nothing is run, and nothing is changed."""
    for name in NAMES:
        (cluster.root / "runs" / name).mkdir(parents=True)
    (cluster.root / "runs" / "file").touch()
    os.mkdir(os.fsencode(cluster.root) + b"/runs/\xff-3f9a1c2e")  # noqa: PTH102 -- no text
    make(cluster)
    before = snapshot(cluster.root)
    with ask(cluster) as talk:
        listing = talk.batch(ListRuns())[0]
        found = talk.batch(TakeRuns(NAMES, texts=True))[0]
    assert listing is not None
    assert sorted(listing.names) == sorted([*NAMES, "file", RUN, "\\xff-3f9a1c2e"])
    assert abs(listing.now - time.time()) < 60
    assert all(one.changed is not None for one in found)
    assert snapshot(cluster.root) == before
    assert not list(cluster.home.rglob("pwned*"))


def test_what_a_directory_says(cluster: Cluster) -> None:
    """The fence, the answer, the mark and the texts, to the byte; and nothing of what the job wrote."""
    spec = bytes(range(256)) * 10
    folder = make(
        cluster,
        submit__1=b"170 60\n",
        answer__1=b"rc 0\nout 7\n",
        spec__toml=spec,
        run__json=b"{}",
        script__sbatch=b"#!\n",
    )
    (folder / "owner.2").symlink_to("void")
    (folder / "secrets.env").write_text("KEY=secret")
    (folder / "work").mkdir()
    (folder / "work" / "spec.toml").write_text("not this one")
    with ask(cluster) as talk:
        (bare,), (full,), (gone,) = (
            talk.batch(TakeRuns([name], texts=texts))[0]
            for name, texts in ((RUN, False), (RUN, True), ("gone-3f9a1c2e", True))
        )
    assert full == Found(
        RUN,
        full.now,
        int(folder.stat().st_mtime),
        owners={1: "7", 2: "void"},
        answers={1: b"rc 0\nout 7\n"},
        marks={1: b"170 60\n"},
        files={"spec.toml": spec, "run.json": b"{}", "script.sbatch": b"#!\n"},
    )
    assert (bare.files, bare.owners, bare.answers, bare.marks) == (
        {"run.json": b"{}"},
        full.owners,
        full.answers,
        full.marks,
    )
    assert gone == Found("gone-3f9a1c2e", gone.now)


def test_a_large_spec_is_one(cluster: Cluster) -> None:
    """Ten thousand points are some megabytes, and the list of files that git does not track may be long."""
    texts = {"spec.toml": b"x" * LARGEST, "script.sbatch": b"y" * 5_000_000, "run.json": b"z" * 300_000}
    folder = make(cluster)
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    with ask(cluster) as talk:
        (found,) = talk.batch(TakeRuns([RUN], texts=True))[0]
    assert (found.files, found.large) == (texts, [])


def test_what_is_larger_still_is_named_and_left(cluster: Cluster) -> None:
    """Nobody's gigabytes are carried, because they bear one of our names; nor do they pass for nothing."""
    folder = make(cluster, spec__toml=b"x" * (LARGEST + 1), script__sbatch=b"#!\n", run__json=b"{}")
    os.truncate(folder / "run.json", 1 << 33)
    with ask(cluster) as talk:
        (found,), (bare,) = (talk.batch(TakeRuns([RUN], texts=texts))[0] for texts in (True, False))
    assert (found.files, sorted(found.large)) == ({"script.sbatch": b"#!\n"}, ["run.json", "spec.toml"])
    assert (bare.files, bare.large) == ({}, ["run.json"])
    assert found.owners == {1: "7"}


def test_thousands_of_runs_come_some_at_a_time(cluster: Cluster) -> None:
    """In order, over one conversation."""
    runs = [f"run-{number:08x}" for number in range(3 * BATCH + 1)]
    for run in runs:
        make(cluster, run, spec__toml=run.encode())
    with ask(cluster) as talk:
        batches = list(talk.take(runs, texts=True))
    assert [len(batch) for batch in batches] == [BATCH, BATCH, BATCH, 1]
    found = [one for batch in batches for one in batch]
    assert [(one.run, one.files["spec.toml"]) for one in found] == [(run, run.encode()) for run in runs]
    assert cluster.login.execs == 1


def test_a_submit_on_its_way_is_named(cluster: Cluster) -> None:
    """While it gives signs of life; what a dead one left is not."""
    (cluster.root / "runs").mkdir(parents=True)
    for nonce, run in (("a", "young-3f9a1c2e"), ("b", "old-3f9a1c2e"), ("c", "growing-3f9a1c2e")):
        (cluster.root / f".new.{nonce}" / run).mkdir(parents=True)
        for path in ((cluster.root / f".new.{nonce}" / run), (cluster.root / f".new.{nonce}")):
            if nonce != "a":
                os.utime(path, (1, 1))
    (cluster.root / ".new.c" / ".archive").write_text("more and more")
    os.utime(cluster.root / ".new.c", (1, 1))
    with ask(cluster) as talk:
        listing = talk.batch(ListRuns())[0]
    assert listing is not None
    assert (listing.names, sorted(listing.coming)) == ((), ["growing-3f9a1c2e", "young-3f9a1c2e"])


def test_another_version_is_told(cluster: Cluster) -> None:
    """And nothing of it is read."""
    make(cluster)
    (cluster.root / "PROTOCOL").write_text("2\n")
    with ask(cluster) as talk, pytest.raises(RemoteFileError, match="another version"):
        talk.batch(ListRuns())


def test_runs_that_cannot_be_listed_are_no_empty_list(cluster: Cluster) -> None:
    """A file where the directory should be; permissions do not stop root."""
    cluster.root.mkdir(parents=True)
    (cluster.root / "runs").write_text("")
    with ask(cluster) as talk, pytest.raises(RemoteFileError, match=r"cannot be listed: .+"):
        talk.batch(ListRuns())


@pytest.mark.parametrize("body", [b"", b"nothing", b"\x1f\x8b\x08\x00"])
def test_what_was_cut_off_is_not_half_an_answer(body: bytes) -> None:
    """An archive has an end."""
    with pytest.raises(OutputError, match="did not arrive whole"):
        TakeRuns([RUN], texts=True).answer([Frame("taken", ("1",), body), Frame("large")])


@pytest.mark.parametrize("frame", [Frame("runs", ("x",), b""), Frame("what", (), b"")])
def test_other_answers_mean_nothing(frame: Frame) -> None:
    """They are errors."""
    with pytest.raises(OutputError):
        ListRuns().answer([frame])
    with pytest.raises(OutputError):
        TakeRuns([RUN], texts=True).answer([frame, Frame("large")])
    with pytest.raises(OutputError):
        TakeRuns([RUN], texts=True).answer([Frame("taken", ("1",), b""), frame])
