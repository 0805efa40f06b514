"""Records what each version of Slurm answers where it refuses a submission.

    tests/docker python tests/slurm/record_refusals.py [VERSION ...]

writes tests/data/slurm/<version>/refusals.json: the options, and what sbatch said; null where it took the job.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parents[1]
DATA = HERE / "data" / "slurm"
NODES = 2
"""Of eight GPUs each."""
USUAL = {"nodes": "1", "time": "5"}

ASK = r"""
export LC_ALL=C
first=$(sbatch --parsable --account=small --hold --time=5 --wrap=true)
second=$(sbatch --parsable --account=small --hold --time=5 --wrap=true)
for words; do
    # The options of one case are one word, and none of them holds a blank.
    said=$(sbatch --parsable $words --wrap=true 2>&1) && { scancel "$said"; said=; }
    printf '%s\036' "$said"
done
scancel "$first" "$second"
"""


def words(options: dict[str, str]) -> str:
    """The options as sbatch takes them."""
    return " ".join(f"--{name.replace('_', '-')}={value}" for name, value in {**USUAL, **options}.items())


def main(versions: list[str]) -> None:
    """Write the files of these versions, or of all."""
    sys.path.insert(0, str(HERE))
    import clusters  # noqa: PLC0415 -- found beside this folder
    from slurm.refused_options import CASES  # noqa: PLC0415 -- likewise

    clusters.ensure(versions or clusters.VERSIONS)
    for version in versions or clusters.VERSIONS:
        with clusters.SlurmCluster(version, nodes=NODES) as cluster:
            answers = cluster.check(["sh", "-c", ASK, "sh", *(words(options) for options, _ in CASES)], user="alice")
        told = [text.strip() or None for text in answers.split("\036")[:-1]]
        listed = [{"options": options, "said": said} for (options, _), said in zip(CASES, told, strict=True)]
        (DATA / version).mkdir(parents=True, exist_ok=True)
        (DATA / version / "refusals.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
