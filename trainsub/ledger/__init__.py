"""Money: GPU-seconds from Slurm's records, prices, sums. Pure; exact until an amount is written down."""
