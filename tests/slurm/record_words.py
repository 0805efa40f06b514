"""Records every job reason and every error text that each version of Slurm has, by asking its own library.

    tests/docker python tests/slurm/record_words.py [VERSION ...]

writes tests/data/slurm/<version>/reasons.txt and errors.txt, a word or text a line. The library in the image of a
version is asked for the name of each number; so nothing is missed, and nothing is there that it would not print.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[1]
DATA = HERE / "data" / "slurm"

ASK = r"""
import ctypes, glob
(path,) = glob.glob("/usr/lib/*/slurm-wlm/libslurmfull.so")
library = ctypes.CDLL(path, mode=1)  # RTLD_LAZY: some of its symbols are those of the programs that load it
# 22.05 calls it job_reason_string, newer ones job_state_reason_string.
names = [name for name in ("slurm_job_state_reason_string", "slurm_job_reason_string") if hasattr(library, name)]
reason, error = getattr(library, names[0]), library.slurm_strerror
reason.restype = error.restype = ctypes.c_char_p
for number in range(1000):
    print("reason", reason(number).decode())
for number in range(1000, 10000):
    print("error", error(number).decode())
"""
"""What runs inside the image, on the Python that is there."""

NO_REASON = ("InvaildReason", "InvalidReason")
"""What newer versions call a number that is no reason; 24.11 spells it so."""


def main(versions: list[str]) -> None:
    """Write the files of these versions, or of all."""
    sys.path.insert(0, str(HERE))
    import clusters  # noqa: PLC0415 -- found beside this folder

    for version, image in clusters.ensure(versions or clusters.VERSIONS).items():
        command = ["docker", "run", "--rm", "--interactive", "--entrypoint", "python3", image, "-"]
        said = subprocess.run(command, input=ASK, text=True, capture_output=True, check=True).stdout
        pairs = [line.split(" ", 1) for line in said.splitlines()]
        reasons = {text for kind, text in pairs if kind == "reason" and not text.isdigit() and text not in NO_REASON}
        errors = {text for kind, text in pairs if kind == "error" and not text.startswith("Unknown error")}
        (DATA / version).mkdir(parents=True, exist_ok=True)
        for name, found in (("reasons", reasons), ("errors", errors)):
            (DATA / version / f"{name}.txt").write_text("".join(f"{one}\n" for one in sorted(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
