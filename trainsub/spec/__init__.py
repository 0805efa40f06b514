"""The job spec: its TOML file, its model, and what it means for sbatch. Pure: text and values in, values out.

Must not touch disk, network, clock or processes; it is given text and knows no file but by name.
"""

from trainsub.spec.launch import Shape, options, shape
from trainsub.spec.model import Code, JobSpec, Launch, Setup
from trainsub.spec.parse import parse_spec
from trainsub.spec.slurm_options import OptionValue, SlurmDefaults, SlurmOptions

__all__ = [
    "Code",
    "JobSpec",
    "Launch",
    "OptionValue",
    "Setup",
    "Shape",
    "SlurmDefaults",
    "SlurmOptions",
    "options",
    "parse_spec",
    "shape",
]
