#!/bin/bash
# Waits, in the controller, until the cluster works: the controller answers, every node is idle, the
# accounting database answers and a job has run on all nodes. Says what is missing if it never does.
#
#     ready.sh [SECONDS]        default 180
set -uo pipefail

: "${NODES:=2}" "${ACCOUNTING:=1}"
deadline=$((SECONDS + ${1:-180}))

until_true() { # WHAT COMMAND...
    local what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "ready: still waiting for: $what" >&2
            "$@" >&2
            tail -n 15 /var/log/slurm/slurmdbd.log /var/log/slurm/slurmctld.log >&2 2>/dev/null
            exit 1
        fi
        sleep 0.2
    done
}

controller_is_up() { timeout 10 scontrol ping | tee /dev/stderr | grep -q 'is UP'; }
nodes_are_idle() {
    local idle
    idle=$(timeout 10 sinfo -h -p gpu -N -o '%N %t' | sort -u | grep -c ' idle$')
    echo "$idle of $NODES nodes are idle"
    [ "$idle" -eq "$NODES" ]
}
accounting_answers() { timeout 10 sacctmgr -nP show assoc user=alice format=account,qos | tee /dev/stderr | grep -q limited; }
sshd_listens() { exec 3<>/dev/tcp/127.0.0.1/22; }
# Right after its first start, 22.05 sends its records some ten seconds late.
job_is_accounted() { timeout 10 sacct -n -X -j "$job" -o State | tee /dev/stderr | grep -q COMPLETED; }
job_has_ended() { timeout 10 scontrol show job "$job" | tee /dev/stderr | grep -q 'JobState=COMPLETED'; }

until_true 'slurmctld' controller_is_up
[ "$ACCOUNTING" = 0 ] || until_true 'slurmdbd and its associations' accounting_answers
until_true 'all nodes to be idle' nodes_are_idle
until_true 'sshd' sshd_listens
# As root, so that no user's job list begins with a job that is not theirs.
if ! job=$(cd /tmp && sbatch --parsable --job-name=ready --nodes="$NODES" --time=5 --output=/dev/null \
        --partition=gpu --wrap='srun true'); then
    exit 1
fi
until_true 'a job on all nodes' job_has_ended
[ "$ACCOUNTING" = 0 ] || until_true 'the record of that job' job_is_accounted
