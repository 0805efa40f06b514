"""The job spec: its TOML file, its model, and what it means for sbatch. Pure: text and values in, values out.

Must not touch disk, network, clock or processes; it is given text and knows no file but by name.
"""

from trainsub.spec.chain import Chain
from trainsub.spec.kinds import Launch
from trainsub.spec.launch import Shape, options, shape
from trainsub.spec.model import Code, JobSpec, Setup, array_of
from trainsub.spec.own import OwnScript
from trainsub.spec.parse import adopt, own_script, parse_spec
from trainsub.spec.slurm_options import OptionValue, SlurmDefaults, SlurmOptions
from trainsub.spec.sweep import Sweep

__all__ = [
    "Chain",
    "Code",
    "JobSpec",
    "Launch",
    "OptionValue",
    "OwnScript",
    "Setup",
    "Shape",
    "SlurmDefaults",
    "SlurmOptions",
    "Sweep",
    "adopt",
    "array_of",
    "options",
    "own_script",
    "parse_spec",
    "shape",
]
