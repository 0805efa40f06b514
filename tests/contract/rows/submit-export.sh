# --export says what the batch script finds; after NIL steps need SLURM_EXPORT_ENV=ALL

# Not NONE, and no names: slurmd then asks for the user's own environment, and dies of it in a container without
# privileges ("fatal: clone: Operation not permitted").
script job <<'END'
echo "MINE=${MINE-unset} OTHER=${OTHER-unset} HOME=${HOME-unset} USER=${USER-unset} PATH=${PATH:+set} SLURM_EXPORT_ENV=${SLURM_EXPORT_ENV-unset}"
srun --input=none /bin/sh -c 'echo "task: MINE=${MINE-unset} OTHER=${OTHER-unset} PATH=${PATH:+set}"' 2>&1 || echo "srun $?"
export SLURM_EXPORT_ENV=ALL PATH MINE OTHER
srun --input=none /bin/sh -c 'echo "task with ALL: MINE=${MINE-unset} OTHER=${OTHER-unset} PATH=${PATH:+set}"' 2>&1
END
export MINE="of the user" OTHER=yes
n=0
try() { # name, options
    local name=$1
    shift
    n=$((n + 1))
    ids="${ids-} $(submit --nodelist="${prefix}1" --open-mode=append --output="out.$n" "$@" job)"
    eval "name_$n=\$name"
}
try "nothing said"
try "ALL" --export=ALL
try "NIL" --export=NIL
# shellcheck disable=SC2086
ended $ids
for ((i = 1; i <= n; i++)); do
    name=name_$i
    steady <"out.$i" | lines "${!name}"
done
