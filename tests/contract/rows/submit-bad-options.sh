# Options and values that cannot be understood are refused at once, with their text and exit code

script job <<'END'
true
END
try() {
    said "$*" sbatch "$@" job
}
try --no-such-option
try --no-such-option=1
try -Y
try --time=never
try --time=1:2:3:4
try --time=
try --nodes=x
try --nodes=0
try --nodes=2-1
try --ntasks=0
try --ntasks=x
try --ntasks-per-node=x
try --cpus-per-task=0
try --cpus-per-task=x
try --mem=lots
try --gpus-per-node=x
try --gres=gpu:x
try --gres=unicorn:1
try --array=1-x
try --array=3-1
try --array=1-2000
try --dependency=afterparty:1
try --dependency=afterok
try --dependency=afterok:x
try --begin=someday
try --signal=USR9@10
try --signal=B:USR1@x
try --open-mode=both
try --kill-on-invalid-dep=maybe
try --distribution=zigzag
try --nodelist=nowhere
try --exclude=nowhere
printf '#!/bin/sh\n#SBATCH --no-such-option\ntrue\n' >job
said "in the script" sbatch job
printf '#!/bin/sh\n#SBATCH --time=never\ntrue\n' >job
said "a bad value in the script" sbatch job
