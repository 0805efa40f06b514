# Holding and releasing: a held job waits for JobHeldUser; a job that runs may be held, too

script job <<'END'
echo ran
END
script sleeps <<'END'
exec sleep 100
END
show() {
    fact "$1" "$(squeue -h -t all -j "$2" -o '%T %r, priority %Q' | sed 's/ [1-9][0-9]*$/ some/')"
}
held=$(submit --hold --output=held.out job)
show "submitted with --hold" "$held"
said release scontrol release "$held"
ended "$held"
fact "released" "$(state "$held"), $(cat held.out)"
said "hold of an ended job" scontrol hold "$held"
said "release of an ended job" scontrol release "$held"
waits=$(submit --begin=now+1hour job)
said hold scontrol hold "$waits"
show "held while it waits" "$waits"
said "hold once more" scontrol hold "$waits"
said release scontrol release "$waits"
said "release once more" scontrol release "$waits"
until_reason "$waits" BeginTime
fact "waits again" "$(state "$waits") $(reason "$waits")"
runs=$(submit sleeps)
until_state "$runs" RUNNING
said "hold of a running job" scontrol hold "$runs"
fact "held while it runs" "$(state "$runs") $(reason "$runs")"
said "release of a running job" scontrol release "$runs"
said "uhold" scontrol uhold "$waits"
show "uhold" "$waits"
said "hold unknown" scontrol hold 799999
said "release unknown" scontrol release 799999
said "hold a word" scontrol hold abc
said "hold nothing" scontrol hold
