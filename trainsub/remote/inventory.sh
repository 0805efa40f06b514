# What lies under the remote root, looked at and not touched.  inventory.py asks, and reads the answers.
# Values: TS_ROOT
find_root "$TS_ROOT"

sending() { # directory of a submit that has not come to its lock: whether something in it is younger than two minutes
	[ -n "$(find "$1" -maxdepth 1 -mmin -2 2>/dev/null)" ]
}

ts_runs() { # the clock here; the names in runs/, an empty one, and those of runs that are on their way there
	if [ -e "$TS_BASE/PROTOCOL" ] && other_protocol; then
		body fail protocol "$TS_FOUND"
		return
	fi
	if ! [ -e "$TS_BASE/runs" ]; then
		frame none
		return
	fi
	if ! TS_WORDS=$(cd "$TS_BASE/runs" 2>&1 && ls -d . 2>&1 >/dev/null && [ -r . ]); then
		body fail file -
		printf '%s' "${TS_WORDS:-permission denied}"
		return
	fi
	body runs "$(date +%s)"
	(
		cd "$TS_BASE/runs" || exit
		for TS_NAME in * .[!.]*; do
			if [ -e "$TS_NAME" ] || [ -L "$TS_NAME" ]; then printf '%s\0' "$TS_NAME"; fi
		done
		printf '\0'
		for TS_NEW in "$TS_BASE"/.new.*/*-????????; do
			[ ! -d "$TS_NEW" ] || ! sending "${TS_NEW%/*}" || printf '%s\0' "${TS_NEW##*/}"
		done
	) 2>/dev/null
}

# Whether their spec and script too; the most blocks of 512 bytes that a file may have; directories in runs/, behind "./".
ts_take() { # what they say of themselves, as an archive; then which of the texts are larger, each behind its directory
	TS_NAMES='*.[0-9]*'
	[ -z "$1" ] || TS_NAMES='*'
	TS_BLOCKS=$2
	shift 2
	body taken "$(date +%s)"
	# A fence is a symbolic link, and an archive keeps where it points.
	(
		cd "$TS_BASE/runs" && find "$@" -maxdepth 1 \( \
			-type d ! -path './*/*' -o -type l -name 'owner.*' -o \
			-type f -size "-$((TS_BLOCKS + 1))" \( -name "$TS_NAMES" -o -name run.json \) \
			\( -name 'submit.*' -o -name 'answer.*' -o -name run.json -o -name spec.toml -o -name script.sbatch \) \
			\) -print0 | TAR_OPTIONS='' GZIP='' tar -czf - --no-recursion --null -T -
	) 2>/dev/null
	body large
	(
		cd "$TS_BASE/runs" && find "$@" -maxdepth 1 -type f -size "+$TS_BLOCKS" \
			\( -name run.json -o -name "$TS_NAMES" \( -name spec.toml -o -name script.sbatch \) \) -print0
	) 2>/dev/null
}
