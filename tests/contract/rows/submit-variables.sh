# The command line beats SBATCH_ variables, and these beat the lines of the script

script job <<'END'
#SBATCH --job-name=of-script
#SBATCH --time=11
#SBATCH --partition=gpu
#SBATCH --hold
#SBATCH --comment=of-script
#SBATCH --output=of-script.%j
true
END
say() {
    fact "$1" "$(squeue -h -t all -j "$2" -o '%j %l %P %k')"
    fact "$1 output" "$(scontrol show job "$2" | grep -o 'StdOut=.*')"
}
say "script" "$(submit job)"
export SBATCH_JOB_NAME=of-variable SBATCH_TIMELIMIT=9 SBATCH_PARTITION=debug SBATCH_COMMENT=of-variable SBATCH_OUTPUT=of-variable.%j
say "variables" "$(submit job)"
say "command line" "$(submit --job-name=of-line --time=7 --partition=gpu --comment=of-line --output=of-line.%j job)"
