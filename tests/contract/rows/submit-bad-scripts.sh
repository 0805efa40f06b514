# What is no script is refused; one with CRLF line ends, too, and the text says how to mend it

printf 'echo hello\n' >plain
printf '#!/bin/sh\r\necho hello\r\n' >crlf
: >empty
printf '#!/no/such/shell\ntrue\n' >nobody
mkdir folder
said "no #! line" sbatch plain
said "CRLF line ends" sbatch crlf
said empty sbatch empty
said missing sbatch missing
said "a folder" sbatch folder
job=$(submit --output=nobody.out nobody)
ended "$job"
fact "unknown interpreter" "$(state "$job"), reason $(reason "$job")"
lines "its log" <nobody.out
