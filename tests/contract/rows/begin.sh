# --begin: the job waits for BeginTime, and starts then

script job <<'END'
echo ran
END
later=$(submit --begin=now+1hour job)
until_reason "$later" BeginTime
fact "in an hour" "$(state "$later") $(reason "$later")"
raw squeue "in an hour" --jobs="$later"
soon=$(submit --begin=now+6 job)
until_reason "$soon" BeginTime
past=$(submit --begin=2020-01-01 job)
ended "$past" "$soon"
fact "a day that has passed" "$(state "$past")"
fact "afterwards" "$(state "$soon") $(reason "$soon")"
booked "$soon"
fact "it waited" "$(sacct -nPX -j "$soon" -o Eligible,Start,Submit | { IFS='|' read -r eligible start submit; [ "$eligible" \> "$submit" ] && ! [ "$start" \< "$eligible" ] && echo yes; })"
try() {
    said "$1" sbatch --parsable --hold --begin="$1" job
}
try tomorrow
try 16:00
try noon
try 2040-01-01T10:00
try now+2days
try 12/31/40
try now+x
try 25:00
said "update" scontrol update JobId="$later" StartTime=now
ended "$later"
fact "begins now" "$(state "$later")"
