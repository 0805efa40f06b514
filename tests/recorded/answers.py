"""What real Slurm answered to trainsub's own commands, as it lies under tests/data/slurm/<version>/.

``<scene>.<command>.txt`` holds stdout as it was printed, to the byte; ``manifest.json`` tells of each file the command, its
exit code and stderr. Nothing in them is made up or changed. Recorded again, a file is only replaced where it says something
else: times, ids, process numbers and durations may differ, see ``plain``. All files of a scene are then replaced, since they tell of
the same jobs.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "slurm"
VERSIONS = ("22.05", "24.11", "26.05")
MANIFEST = "manifest.json"

FIRST_ID = 700_001
"""Clusters count their jobs from here, so that an id is not taken for another number."""

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?")
_EPOCH = re.compile(r"(?<![\d.])(?:1[789]\d{8}|2\d{9,11})(?![\d.])")
_ID = re.compile(r"(?<!\d)7000\d\d(?!\d)")
# sacct: ElapsedRaw and Suspended follow the end; a lasting job's end is Unknown.
_ELAPSED = re.compile(r"(?<=\x1f(?:TIME|Unkn|NONE)\x1f)\d+(?=\x1f\d\d:\d\d:\d\d\x1f)")
_ELAPSED_LASTING = re.compile(r"(?<=\x1fUnknown\x1f)\d+(?=\x1f\d\d:\d\d:\d\d\x1f)")
_SUSPENDED = re.compile(r"(?<=\x1fELAPSED\x1f)\d\d:\d\d:\d\d(?=\x1f)")
_LINES = (
    (re.compile(r"(?<=RunTime=)\S+"), "ELAPSED"),
    (re.compile(r"(?<=PreemptEligibleTime=)\S+|(?<=PreSusTime=)\S+|(?<=SuspendTime=)\S+"), "TIME"),
    (re.compile(r"(?<=Priority=)\d+"), "PRIORITY"),
    (re.compile(r"(?<=NEXT_JOB_ID)(\s*= )\d+"), r"\1ID"),
    (re.compile(r"(?<=\bSLUID=)\S+"), "SLUID"),
    (re.compile(r"(?<=AllocNode:Sid=)\S+"), "SID"),
    (re.compile(r"(?<=\bport\()\d+"), "PORT"),
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer.

    Attributes:
        scene: Name of the function in scenes.py.
        file: Name of the file that holds ``out``: ``<scene>.<command>.txt``.
        argv: The command, as trainsub gives it.
        rc: Its exit code.
        out: Its stdout.
        err: Its stderr.
    """

    scene: str
    file: str
    argv: tuple[str, ...]
    rc: int
    out: str
    err: str

    def plain(self) -> tuple[str, int, str, str]:
        """Return what the answer says, without what differs each time."""
        lines = "\n".join(sorted(plain(self.out).split("\n")))  # squeue sorts by start, too
        return plain(" ".join(self.argv)), self.rc, lines, plain(self.err)


def plain(text: str) -> str:
    """Return a text with words for what differs each time: ids, times, durations, process numbers."""
    text = _ID.sub("ID", _EPOCH.sub("TIME", _ISO.sub("TIME", text)))
    text = _SUSPENDED.sub("SUSPENDED", _ELAPSED_LASTING.sub("ELAPSED", _ELAPSED.sub("ELAPSED", text)))
    for pattern, word in _LINES:
        text = pattern.sub(word, text)
    return text


def load(version: str) -> dict[str, Recorded]:
    """Return the answers of a version by ``<scene>.<command>``."""
    folder = DATA / version
    found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return {
        one["file"].removesuffix(".txt"): Recorded(
            scene=one["scene"],
            file=one["file"],
            argv=tuple(one["argv"]),
            rc=one["rc"],
            out=(folder / one["file"]).read_bytes().decode(),
            err=one["err"],
        )
        for one in found
    }


def save(version: str, answers: Iterable[Recorded], *, whole: bool) -> list[str]:
    """Write the scenes that say something else than those on disk.

    Args:
        version: Of Slurm.
        answers: What was recorded now.
        whole: All scenes were recorded: what is on disk besides is removed.

    Returns:
        The names of the files that say something else.
    """
    folder = DATA / version
    folder.mkdir(parents=True, exist_ok=True)
    known = {one.file: one for one in load(version).values()} if (folder / MANIFEST).exists() else {}
    new = {one.file: one for one in answers}
    played = {one.scene for one in new.values()}
    # A scene that names its files anew leaves none of the old ones.
    before = {file: one for file, one in known.items() if one.scene in played or whole}
    changed = [file for file in before.keys() | new.keys() if _plain(before.get(file)) != _plain(new.get(file))]
    scenes = {one.scene for file in changed for one in (before.get(file), new.get(file)) if one is not None}
    kept = {file: one for file, one in known.items() if one.scene not in scenes}
    kept |= {file: one for file, one in new.items() if one.scene in scenes}
    for file in known.keys() - kept.keys():
        (folder / file).unlink()
    for file in kept.keys() & {file for file, one in new.items() if one.scene in scenes}:
        (folder / file).write_bytes(kept[file].out.encode())
    (folder / MANIFEST).write_text(_manifest([kept[file] for file in sorted(kept)]), encoding="utf-8")
    return sorted(changed)


def _plain(answer: Recorded | None) -> tuple[str, int, str, str] | None:
    return None if answer is None else answer.plain()


def _manifest(answers: Sequence[Recorded]) -> str:
    rows = [{key: value for key, value in asdict(answer).items() if key != "out"} for answer in answers]
    return json.dumps(rows, indent=1, ensure_ascii=True) + "\n"
