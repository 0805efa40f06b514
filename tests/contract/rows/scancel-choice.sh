# scancel by name, state, user and partition chooses; what it says of ids that are unknown, ended or no ids

script sleeps <<'END'
exec sleep 100
END
one=$(submit --job-name=one-$$ --output=log sleeps)
two=$(submit --job-name=two-$$ --output=log sleeps)
held=$(submit --hold --job-name=two-$$ --output=log sleeps)
other=$(submit --hold --job-name=other-$$ --output=log sleeps)
until_state "$one" RUNNING
until_state "$two" RUNNING
now() { for id in "$one" "$two" "$held" "$other"; do state "$id"; done | tr '\n' ' '; }
said "name and state" scancel --name=two-$$ --state=PENDING
ended "$held"
fact "name and state" "$(now)"
said "id of another name" scancel --name=other-$$ "$two"
fact "id of another name" "$(now)"
said "user and name" scancel --user="$(id -un)" --name=two-$$
ended "$two"
fact "user and name" "$(now)"
said "me and name" scancel --me --name=other-$$
ended "$other"
fact "me and name" "$(now)"
said "no such name" scancel --name=nobody-$$
said "unknown" scancel 999999
said "unknown, quiet" scancel -Q 999999
said "ended" scancel "$two"
said "ended, verbose" scancel -v "$two"
said "unknown among others" scancel 999999 "$one"
ended "$one"
fact "unknown among others" "$(now)"
said "ended and unknown" scancel "$one" 999999
said "no id" scancel twelve
said "no step" scancel "$one.7"
said "nothing" scancel
said "no such state" scancel --state=SLEEPING
said "unknown option" scancel --no-such-option "$one"
