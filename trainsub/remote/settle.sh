# What a settler looks at and does, one function each.  settle.py decides.
# Values: TS_ROOT TS_RUN TS_LINK
find_root "$TS_ROOT"
TS_RUN_DIR=$TS_BASE/runs/$TS_RUN

sign_of_life() { # when a submit of this run that has not yet come to its lock was last seen at work
	for TS_NEW in "$TS_BASE"/.new.*/"$TS_RUN"; do
		changed "$TS_NEW" "${TS_NEW%"$TS_RUN"}.archive"
	done 2>/dev/null | sort -n | tail -n 1
}

ts_state() { # seconds to wait: the clock here, when the submit began and its limit, the fence, its mark, and the answer
	TS_TICKS=0
	while [ "$TS_TICKS" -lt "$1" ] && { [ -d "$TS_RUN_DIR" ] || [ -n "$(sign_of_life)" ]; }; do
		case $(cd "$TS_RUN_DIR" 2>/dev/null && owner_of "$TS_LINK") in
		-) [ ! -f "$TS_RUN_DIR/answer.$TS_LINK" ] || break ;;
		gone) (cd "$TS_RUN_DIR" && bury) ;;
		'') ;;
		*) break ;;
		esac
		TS_TICKS=$((TS_TICKS + 1))
		sleep 1
	done
	if ! cd "$TS_RUN_DIR" 2>/dev/null; then
		cd /
		TS_SEEN=$(sign_of_life)
		body state "$(date +%s)" - - - - "${TS_SEEN:--}"
		return
	fi
	bury
	read_mark "$TS_LINK"
	TS_BEGUN=$TS_SINCE
	# Without its mark a submit is at its very beginning, or was refused the mark: the directory tells its age.
	[ "$TS_SINCE" != - ] || TS_SINCE=$(changed .)
	TS_SEEN=$(sign_of_life)
	body state "$(date +%s)" "$TS_SINCE" "$TS_LIMIT" "$(owner_of "$TS_LINK")" "$TS_BEGUN" "${TS_SEEN:--}"
	[ ! -f "answer.$TS_LINK" ] || cat "answer.$TS_LINK"
}

ts_claim() { # word: a job id, or void.  Answers what the fence holds, which is what the first one wrote.
	TS_STAGE=$TS_BASE/.new.$TS_NONCE
	TS_WORDS=$(make_root "$TS_STAGE" 2>&1)
	[ ! -d "$TS_STAGE" ] || scrap "$TS_STAGE"
	if [ -e "$TS_BASE/PROTOCOL" ] && other_protocol; then
		body fail protocol "$TS_FOUND"
		return
	fi
	TS_TICKS=0
	while TS_WORDS=$(mkdir -p "$TS_RUN_DIR" 2>&1) && [ "$TS_TICKS" -lt 5 ]; do
		TS_WORDS=$(cd "$TS_RUN_DIR" && ln -s "$1" "owner.$TS_LINK" 2>&1)
		TS_OWNER=$(cd "$TS_RUN_DIR" && owner_of "$TS_LINK")
		case $TS_OWNER in
		'' | gone) sleep 1 ;; # it is being removed; then the next one is ours
		-) break ;;
		*)
			frame owner "$TS_OWNER"
			return
			;;
		esac
		TS_TICKS=$((TS_TICKS + 1))
	done
	body fail file -
	printf '%s' "$TS_WORDS"
}

ts_same() { # a job's working directory: whether it is that of this run, perhaps by another name
	TS_OURS=$(cd "$TS_RUN_DIR/work" 2>/dev/null && pwd -P)
	if [ -n "$TS_OURS" ] && [ "$(cd -- "$1" 2>/dev/null && pwd -P)" = "$TS_OURS" ]; then frame same; else frame other; fi
}

ts_discard() { # a refused run leaves nothing behind.  Only from the directory that the answer was read in.
	if cd "$TS_RUN_DIR" 2>/dev/null && [ -f "answer.$TS_LINK" ] &&
		[ "$(cat "answer.$TS_LINK")" = "$1" ] && remove_run "$TS_RUN_DIR" "$TS_BASE/.new.$TS_NONCE"; then
		frame gone
	else
		cd /
		frame kept
	fi
}
