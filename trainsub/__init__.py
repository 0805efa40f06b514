"""trainsub: submit distributed PyTorch training to Slurm over SSH, exactly once, and know what it cost."""

__version__ = "0.1.0"
