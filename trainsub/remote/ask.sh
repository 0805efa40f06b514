# What can be asked of the cluster, one function each.  ask.py writes the calls.
TS_STAGE=

ts_run() { # seconds, command: its stdout as it comes, then its status and stderr
	TS_LIMIT=$1
	shift
	body out
	{ TS_ERR=$(timeout -k 5 "$TS_LIMIT" "$@" 2>&1 >&3 3>&- </dev/null); } 3>&1
	body rc $?
	printf '%s' "$TS_ERR"
}

ts_tail() { # path, offset, limit: only what is new; from the start again if the file shrank
	# On a network file system the size of a name may be that of some seconds ago: that of an open file is not.
	if ! [ -e "$1" ]; then
		frame none
		return
	fi
	if [ -d "$1" ] || ! [ -r "$1" ] || ! TS_SIZE=$(wc -c <"$1"); then
		body fail
		{ head -c 1 -- "$1" >/dev/null; } 2>&1
		return
	fi
	TS_SIZE=$((TS_SIZE)) TS_FROM=$2
	[ "$TS_SIZE" -ge "$TS_FROM" ] || TS_FROM=0
	TS_COUNT=$((TS_SIZE - TS_FROM))
	[ "$TS_COUNT" -le "$3" ] || TS_COUNT=$3
	body tail "$TS_FROM" "$TS_SIZE"
	[ "$TS_COUNT" -eq 0 ] || tail -c "+$((TS_FROM + 1))" -- "$1" 2>/dev/null | head -c "$TS_COUNT"
}

ts_list() { # directory: names, each ended by NUL; hidden ones left out
	[ -d "$1" ] || {
		frame none
		return
	}
	body list
	(
		cd -- "$1" || exit
		for TS_NAME in *; do
			if [ -e "$TS_NAME" ] || [ -L "$TS_NAME" ]; then printf '%s\0' "$TS_NAME"; fi
		done
	) 2>/dev/null
}

ts_clock() { # the time here
	frame clock "$(date +%s)"
}

ts_exits() { # root as configured, runs: the exit records of all of them, a line each; only the shell itself reads here
	find_root "$1"
	shift
	body exits
	for TS_RUN; do
		for TS_FILE in "$TS_BASE/runs/$TS_RUN/exit/"*; do
			[ -f "$TS_FILE" ] && IFS= read -r TS_LINE <"$TS_FILE" || continue
			printf '%s %s\n' "$TS_RUN/${TS_FILE##*/}" "$TS_LINE"
		done
	done 2>/dev/null
}

ts_forget() { # root as configured, runs: their secrets are gone; answers those that are still there, a line each
	find_root "$1"
	shift
	body kept
	for TS_RUN; do
		TS_FILE=$TS_BASE/runs/$TS_RUN/secrets.env
		rm -f "$TS_FILE"
		if [ -e "$TS_FILE" ]; then printf '%s\n' "$TS_RUN"; fi
	done 2>/dev/null
}

ts_root() { # root as configured
	find_root "$1"
	body root
	printf '%s' "$TS_BASE"
}
