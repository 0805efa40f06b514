# Brings a run to the cluster and hands it to sbatch, at most once.  See submit.py for the protocol.
# Values: TS_ROOT TS_RUN TS_LINK TS_FILES TS_SHA TS_SIZE TS_FIRST TS_TIMEOUT TS_WAIT TS_BEAT TS_SILENCE TS_HIDDEN TS_SECRETS

# The client may vanish at any time; what it started is then brought to a defined end all the same.
trap '' HUP PIPE
trap 'exit 143' TERM INT

# On the user's own machine they are in the environment, which sbatch hands on, and Slurm's accounts may keep.
# shellcheck disable=SC2086 # names of variables
[ -z "$TS_HIDDEN" ] || unset $TS_HIDDEN

find_root "$TS_ROOT"
TS_STAGE=$TS_BASE/.new.$TS_NONCE
# By its name a settler knows that a submit of this run is under way; see sign_of_life in settle.sh.
TS_NEW=$TS_STAGE/$TS_RUN
TS_RUN_DIR=$TS_BASE/runs/$TS_RUN
TS_ARCHIVE=$TS_BASE/code/$TS_SHA.tar.gz
TS_ANSWER_FILE=answer.$TS_LINK
TS_LOCKED=
TS_LOOP=

alive() { # what is done, command: while it is at work the client, and a settler, are told so now and then
	TS_WHAT=$1
	shift
	# A file system that hangs stops the loop, too.  Nothing else is told before hush.
	while sleep "$TS_BEAT" >/dev/null && there && touch -c "$TS_NEW" && frame busy "$TS_WHAT"; do :; done 2>/dev/null &
	TS_LOOP=$!
	"$@" || {
		hush
		return 1
	}
	hush
}

there() { # whether this program, of which the loop is a part, has not been killed, or only its remains are there
	kill -0 $$ && case $(if [ -r /proc/$$/stat ]; then cut -d ' ' -f 3 /proc/$$/stat; else ps -o stat= -p $$; fi) in
	Z*) false ;;
	esac
}

hush() {
	[ -z "$TS_LOOP" ] || {
		# A shell that has only just begun may miss any other signal.
		kill -9 "$TS_LOOP"
		wait "$TS_LOOP"
		TS_LOOP=
	} 2>/dev/null
}

clean() { # before anything is told that ends the talk: what is told is then true of the disk, too
	hush
	cd / || :
	[ ! -d "$TS_STAGE" ] || scrap "$TS_STAGE"
	if [ -n "$TS_LOCKED" ] && cd "$TS_RUN_DIR"; then
		TS_LOCKED=
		remove_run "$TS_RUN_DIR" "$TS_STAGE"
	fi
}
trap clean EXIT

bye() {
	frame bye
	exit 0
}

fail() { # kind, step, words: nothing was submitted, nothing stays
	clean
	body error "$1" "$2"
	printf '%s' "$3"
	bye
}

step() { # what is done, command: the system's own words if it cannot be done
	TS_STEP=$1
	shift
	TS_WORDS=$("$@" 2>&1 >/dev/null) || fail file "$TS_STEP" "$TS_WORDS$(room)"
}

room() { # what df says where hardly any is left: tar and others do not always tell it
	case $TS_WORDS in
	*"Read-only file system"* | *"Permission denied"*) return ;; # they told what it is
	esac
	TS_ROOM=$(df -Pk "$TS_BASE" 2>/dev/null | tail -n 1)
	# shellcheck disable=SC2086 # the fields of df
	set -- $TS_ROOM
	[ "${4:-1024}" -lt 1024 ] 2>/dev/null && printf '\nNo space left on device: %s' "$TS_ROOM"
}

receive() { # size, path
	step receive take_into "$1" "$2"
	all_of_it "$(wc -c <"$2")" "$1"
}

all_of_it() { # bytes that came, bytes announced.  Less: the connection is gone, or as good as gone.
	[ "$1" -eq "$2" ] || fail short receive "the input ended early, or stopped for $TS_SILENCE s"
}

take_into() { # size, path
	take "$1" >"$2"
}

take() { # size: piece by piece, each of which must come in time, and is a sign of life
	TS_MORE=$1
	while [ "$TS_MORE" -gt 0 ]; do
		TS_PIECE=262144
		[ "$TS_MORE" -gt "$TS_PIECE" ] || TS_PIECE=$TS_MORE
		TS_MORE=$((TS_MORE - TS_PIECE))
		within "$TS_SILENCE" "$TS_PIECE" || {
			[ $? -eq 124 ] && return
			return 1
		}
		touch -c "$TS_NEW"
	done
}

intact() { # path of an archive
	[ -f "$1" ] && [ "$(wc -c <"$1")" -eq "$TS_SIZE" ] || return
	TS_SUM=$(sha256sum <"$1")
	[ "${TS_SUM%% *}" = "$TS_SHA" ]
}

unpack() {
	# From standard input: tar takes a name with a colon for another machine's.
	(cd "$TS_NEW/work" && TAR_OPTIONS='' GZIP='' tar -xpzof -) <"$TS_ARCHIVE"
}

fetch_archive() { # the snapshot is in code/, whole
	if alive verify intact "$TS_ARCHIVE"; then
		# It comes all the same, and what follows it is for the next reader.
		[ -z "$TS_FIRST" ] || all_of_it "$(take "$TS_SIZE" | wc -c)" "$TS_SIZE"
		return 0
	fi
	[ -n "$TS_FIRST" ] || frame need
	# Not alive: what comes is itself the sign of life, and one that a dead connection cannot give.
	receive "$TS_SIZE" "$TS_STAGE/.archive"
	alive verify intact "$TS_STAGE/.archive" ||
		fail content verify "the archive is not the one announced: its sha256 is $TS_SUM"
	step store mv "$TS_STAGE/.archive" "$TS_ARCHIVE"
	frame stored
}

lines() { # word, text: each line of the text behind the word
	[ -z "$2" ] || printf '%s\n' "$2" | while IFS= read -r TS_LINE; do
		printf '%s %s\n' "$1" "$TS_LINE"
	done
}

job_of() { # answer: prints the job id in it, if there is exactly one; like parse_answer in slurm/sbatch.py
	printf '%s\n' "$1" | {
		TS_ID=
		read -r TS_LINE
		[ "$TS_LINE" = "rc 0" ] || return 0
		while read -r TS_WORD TS_LINE; do
			TS_LINE=${TS_LINE%"$TS_CR"}
			TS_NUMBER=${TS_LINE%%;*}
			case "$TS_WORD $TS_LINE" in
			"out $TS_NUMBER" | "out $TS_NUMBER;"?*) ;;
			*) continue ;;
			esac
			case $TS_NUMBER in
			'' | *[!0-9]*) continue ;;
			esac
			# Slurm keeps job ids in 32 bits.
			[ ${#TS_NUMBER} -le 10 ] && [ "$TS_NUMBER" -gt 0 ] && [ "$TS_NUMBER" -le 4294967295 ] || continue
			case $TS_ID in
			'' | "$TS_NUMBER") TS_ID=$TS_NUMBER ;;
			*) return 0 ;;
			esac
		done
		printf '%s' "$TS_ID"
	}
}
TS_CR=$(printf '\r')

report() { # existing, recorded, answer: claims the fence for its job, then tells
	TS_JOB=$(job_of "$3")
	# Before "accepted" is said the fence holds the job's id: from then on nobody can say "void".
	[ -z "$TS_JOB" ] || ln -s "$TS_JOB" "owner.$TS_LINK" 2>/dev/null
	TS_OWNER=$(owner_of "$TS_LINK")
	[ ! -d "$TS_STAGE" ] || scrap "$TS_STAGE"
	read_mark "$TS_LINK"
	body answer "$1" "$2" "$TS_OWNER" "$TS_SINCE"
	printf '%s' "$3"
	if [ -n "$TS_JOB" ] && [ "$1" = 0 ] && [ "$TS_OWNER" != "$TS_JOB" ] && [ "$TS_OWNER" != - ]; then
		# The run was voided meanwhile.  This job would end at the fence; it need not wait for nodes to do so.
		frame busy cancel
		timeout -k 5 20 scancel --name="$TS_RUN" "$TS_JOB" </dev/null >/dev/null 2>&1
	fi
	case $3 in
	'' | "rc 0"*) bye ;;
	esac
	frame verdict
	# Not for ever: the answer is on disk, and whoever comes next reads it there.
	TS_WORD=$(timeout "$TS_SILENCE" head -n 1)
	# Still in the very directory that the answer was read from.
	if [ "$TS_WORD" = discard ] && remove_run "$TS_RUN_DIR" "$TS_STAGE"; then
		frame gone
	fi
	bye
}

meet() { # somebody else made the run's directory: their answer is ours.  Returns if the directory vanished.
	TS_TICKS=0
	# The directory is entered anew each time: after a refusal it may have been removed and made again.
	while cd "$TS_RUN_DIR" 2>/dev/null; do
		bury
		if [ -f "$TS_ANSWER_FILE" ]; then
			TS_ANSWER=$(cat "$TS_ANSWER_FILE") && report 1 1 "$TS_ANSWER"
		fi
		case $(owner_of "$TS_LINK") in
		- | gone) ;;
		*) report 1 1 '' ;;
		esac
		[ "$TS_TICKS" -lt "$TS_WAIT" ] || {
			clean
			frame pending
			bye
		}
		TS_TICKS=$((TS_TICKS + 1))
		sleep 1
	done
	cd /
}

lock() { # returns when this program, and no other, has made the run's directory
	TS_TRIES=0
	until TS_WORDS=$(mkdir "$TS_RUN_DIR" 2>&1); do
		if [ -d "$TS_RUN_DIR" ]; then
			meet
		else
			TS_TRIES=$((TS_TRIES + 1))
			[ "$TS_TRIES" -lt 5 ] || fail file lock "$TS_WORDS"
		fi
	done
	TS_LOCKED=1
}

furnish() { # the run's directory gets what was prepared; the mark tells a settler how long sbatch may take
	printf '%s %s\n' "$(date +%s)" "$TS_TIMEOUT" >"$TS_RUN_DIR/submit.$TS_LINK" &&
		mv "$TS_NEW"/* "$TS_RUN_DIR/" && rmdir "$TS_NEW" "$TS_STAGE" || return
	[ -z "$TS_SECRETS" ] || printf '%s' "$TS_SECRETS" >"$TS_RUN_DIR/secrets.env"
}

double_percent() { # Slurm replaces %x in file names; %% is a plain one
	TS_DONE=''
	TS_REST=$1
	while :; do
		case $TS_REST in
		*%*)
			TS_DONE=$TS_DONE${TS_REST%%\%*}%%
			TS_REST=${TS_REST#*%}
			;;
		*) break ;;
		esac
	done
	printf '%s' "$TS_DONE$TS_REST"
}

run_sbatch() { # with the user's own umask, locale and time zone, which Slurm hands on to the job
	umask "$TS_UMASK"
	unset LC_ALL SLURM_TIME_FORMAT SLURM_BITSTR_LEN TZ
	[ -z "$TS_LC_ALL_WAS" ] || export LC_ALL="$TS_LC_ALL"
	[ -z "$TS_TZ_WAS" ] || export TZ="$TS_TZ"
	timeout -k 10 "$TS_TIMEOUT" sbatch --parsable --job-name="$TS_RUN" \
		--comment="trainsub:$TS_RUN:$TS_LINK" --chdir="$TS_RUN_DIR/work" --output="$TS_LOGS/%j.out" \
		--open-mode=append "$TS_RUN_DIR/script.sbatch" "$TS_RUN_DIR" "$TS_LINK" </dev/null
}

ask_sbatch() { # TS_ANSWER becomes "rc N", then "out …" and "err …" lines
	# Without files, which a full disk would refuse: stderr first, then a line with the nonce, then stdout.
	TS_ANSWER=$({ TS_OUT=$(run_sbatch 2>&3 3>&-); TS_RC=$?; } 3>&1; printf '\n%s %s\n%s' "$TS_NONCE" "$TS_RC" "$TS_OUT")
	TS_SPLIT="
$TS_NONCE "
	TS_ERR=${TS_ANSWER%%"$TS_SPLIT"*}
	TS_OUT=${TS_ANSWER#*"$TS_SPLIT"}
	TS_RC=${TS_OUT%%"$TS_NL"*}
	TS_OUT=${TS_OUT#"$TS_RC"}
	TS_OUT=${TS_OUT#"$TS_NL"}
	TS_ANSWER=$(
		printf 'rc %s\n' "$TS_RC"
		lines out "$TS_OUT"
		lines err "$TS_ERR"
	)
}

record() { # the answer is on disk before anybody hears it
	printf '%s\n' "$TS_ANSWER" >".$TS_ANSWER_FILE" && mv ".$TS_ANSWER_FILE" "$TS_ANSWER_FILE"
}

step root make_root "$TS_STAGE"
! other_protocol || fail protocol "$TS_FOUND" ''
step prepare mkdir "$TS_NEW" "$TS_NEW/work" "$TS_NEW/logs" "$TS_NEW/exit"
eval "set -- $TS_FILES"
while [ $# -gt 0 ]; do
	receive "$2" "$TS_NEW/$1"
	shift 2
done
# Somebody who only asks again need not send the code again.
[ ! -d "$TS_RUN_DIR" ] || [ -n "$TS_FIRST" ] || meet
if [ -n "$TS_SHA" ]; then
	fetch_archive
	[ ! -d "$TS_RUN_DIR" ] || meet
	frame busy unpack
	alive unpack step unpack unpack
fi
# From here on nothing more is needed from the client.
lock
step furnish furnish
TS_SECRETS=''
cd "$TS_RUN_DIR" || fail file enter "the directory of the run vanished"
[ ! -L "owner.$TS_LINK" ] || {
	# Voided already: the directory stays, for the fence in it.
	TS_LOCKED=
	report 1 1 ''
}
# Nobody there to hear the answer: then better no job.
frame busy sbatch || exit 1
trap '' TERM INT
TS_LOGS=$(double_percent "$TS_RUN_DIR/logs")
TS_LOCKED=
ask_sbatch
TS_RECORDED=1
record 2>/dev/null || TS_RECORDED=0
report 0 "$TS_RECORDED" "$TS_ANSWER"
