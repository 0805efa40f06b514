# What every row begins with: functions that ask a cluster and tell facts. Bash 3.2 and newer.
#
# Facts, and the names that make facts of different clusters equal, go to descriptor 3, line by line:
#     fact NAME: VALUE        what the row is about
#     @id 17                  the next job of the row: $JOB1, $JOB2 and so on
#     @raw squeue NAME XXXX   an answer in base64, for trainsub's own parser
# All else that is printed is noise, told only when the row fails.
set -u
export LC_ALL=C
DIR=$(mktemp -d "$HOME/row.XXXXXX") && cd "$DIR" || exit 1
exec 3>&1 >.noise 2>&1

tell() { printf '%s\n' "$*" >&3; }

die() { # words: the row cannot go on
    echo "row: $*" >&2
    kill "$$"
    exit 1
}

clean() {
    [ ! -s .jobs ] || xargs scancel <.jobs
    sed 's/^/noise: /' .noise >&3
}
trap clean EXIT
trap 'exit 1' TERM

finish() { tell "@end"; }

# --- facts ---

one_line() { # its input in one line, the lines joined by " // "
    awk '{ printf "%s%s", (NR > 1 ? " // " : ""), $0 }'
}

sorted() { # its input, sorted, without the times that 26.05 puts before slurmstepd's words
    sed 's/^\[[-0-9T:.]*\] //' | sort
}

fact() { # name, words
    local name=$1
    shift
    tell "fact $name: $(printf '%s\n' "$*" | one_line)"
}

lines() { # name: each line of its input is a fact
    local line
    while IFS= read -r line || [ -n "$line" ]; do tell "fact $1: $line"; done
}

said() { # name, command: its exit code and all that it said; the job of an sbatch is remembered
    local name=$1 rc out err
    shift
    "$@" >.out 2>.err </dev/null
    rc=$?
    out=$(one_line <.out) err=$(one_line <.err)
    [ "$1" != sbatch ] || keep "$(sed -n 's/^\(Submitted batch job \)\{0,1\}\([0-9][0-9]*\)$/\2/p' .out)"
    tell "fact $name: rc $rc${out:+; out: $out}${err:+; err: $err}"
}

raw() { # squeue, sacct or sinfo; name; more arguments: what trainsub reads from its own query
    local command=$1 name=$2
    shift 2
    tell "@raw $command $name $("trainsub_$command" "$@" | base64 | tr -d '\n')"
}

# --- jobs ---

keep() { # id: a job of this row, ended with it
    [ -z "$1" ] || {
        tell "@id $1"
        echo "$1" >>"$DIR/.jobs"
    }
}

script() { # name: a batch script of its input, under bash
    { echo '#!/bin/bash' && cat; } >"$1"
}

# What srun says by the moment: that a step waits for the end of the step before it; how it closed its sockets (26.05).
MOMENT='^srun: (Job .*step creation (temporarily|still) disabled|Step created for|error: _attempt_accept: )'

# Where it has a step killed, it says for how long it will wait if, it seems, something is left to wait for.
ABORTED='s/Job step aborted$/&: Waiting up to 7 seconds for job step to finish./'

steady() { grep -vE "$MOMENT" | sed "$ABORTED"; } # its input, without the one, and with the other in full

tells() { # name: a batch script of its input that may say: told NAME COMMAND…, for what came of a command
    {
        echo '#!/bin/bash'
        echo 'told() { local name=$1; shift; "$@" >"out.$name" 2>"err.$name"; echo "$name: rc $?"; heard; }'
        echo 'heard() { for of in out err; do steady <"$of.$name" | sort | sed "s/^/$name $of: /"; done; }'
        echo "steady() { grep -vE '$MOMENT' | sed '$ABORTED'; }"
        cat
    } >"$1"
}

submit() { # arguments of sbatch: prints the id
    local id
    id=$(sbatch --parsable "$@") || die "sbatch refused $*"
    keep "${id%%;*}"
    echo "${id%%;*}"
}

await() { # command: until it is true; a minute and a half at most, or so many ticks as PATIENCE says
    local ticks=0
    until "$@"; do
        ticks=$((ticks + 1))
        [ "$ticks" -lt "${PATIENCE:-300}" ] || die "waited in vain for: $*"
        sleep 0.3
    done
}

states() { # id: the states of the job, or of each task, in squeue
    squeue -h -r -t all -j "$1" -o %T
}

state() { states "$1" | head -n 1; }

reason() { squeue -h -t all -j "$1" -o %r | head -n 1; }

is_in() { # id, states: the job is in one of them
    local now word
    now=$(state "$1")
    shift
    for word; do [ "$now" != "$word" ] || return 0; done
    return 1
}

until_state() { await is_in "$@"; }

is_because() { [ "$(reason "$1")" = "$2" ]; }

until_reason() { await is_because "$@"; }

LIVING='PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUED|SUSPENDED|RESIZING|SIGNALING|STOPPED'

has_ended() {
    local now
    now=$(states "$1")
    [ -n "$now" ] && ! printf '%s\n' "$now" | grep -qE "$LIVING"
}

ended() { # ids: until squeue calls each of them, and each of its tasks, ended
    local id
    for id; do await has_ended "$id"; done
}

is_booked() {
    local rows
    # On 22.05 a quick job is called "allocation" for some seconds.
    rows=$(sacct -nP -j "$1" -o State,JobName,End)
    [ -n "$rows" ] && ! printf '%s\n' "$rows" | grep -qE "^($LIVING)|[|]allocation|Unknown"
}

booked() { # ids: until sacct, too, has the end of each of them and of its steps
    local id
    for id; do await is_booked "$id"; done
}

there() { [ -e "$1" ]; }

until_file() { await there "$1"; }

says() { grep -q -- "$2" "$1"; }

until_line() { await says "$@"; } # file, pattern

# --- nodes ---

# Their names are n1 … n4, or addresses that end so.
prefix=$(scontrol show hostnames "$(sinfo -h -p gpu -o %N)" | head -n 1)
prefix=${prefix%1}
tell "@prefix $prefix"
tell "@user $(id -un) $(id -u) $(id -gn) $(id -g)"
tell "@home $HOME"
tell "@dir $DIR"
