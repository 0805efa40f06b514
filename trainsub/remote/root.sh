# The directory of trainsub on the cluster.
TS_PROTOCOL=1

# shellcheck disable=SC2088 # a tilde in a value is text; it is replaced here
find_root() { # root as configured: TS_BASE becomes its absolute path
	case $1 in
	/*) TS_BASE=$1 ;;
	"~") TS_BASE=${HOME:-/nonexistent} ;;
	"~/"*) TS_BASE=${HOME:-/nonexistent}/${1#"~/"} ;;
	*) TS_BASE=${HOME:-/nonexistent}/$1 ;;
	esac
}

make_root() { # scratch directory, made here and removed by the caller: the root is there and speaks our protocol
	mkdir -p "$TS_BASE" && mkdir "$1" || return
	# What programs that were killed have left.
	find "$TS_BASE" -maxdepth 1 -name '.new.*' -mtime +0 -exec chmod -R u+rwX {} + -exec rm -rf {} + 2>/dev/null
	if ! [ -e "$TS_BASE/PROTOCOL" ]; then
		printf '%s\n' "$TS_PROTOCOL" >"$1/PROTOCOL" && mv "$1/PROTOCOL" "$TS_BASE/PROTOCOL" || return
	fi
	mkdir -p "$TS_BASE/runs" "$TS_BASE/code"
}

other_protocol() { # true if the root belongs to another version: TS_FOUND says which
	TS_FOUND=$(head -c 100 "$TS_BASE/PROTOCOL")
	[ "$TS_FOUND" != "$TS_PROTOCOL" ]
}

scrap() { # directory: gone, even if it holds directories without write permission
	rm -rf "$1" 2>/dev/null || {
		chmod -R u+rwX "$1"
		rm -rf "$1"
	} 2>/dev/null
}

# A run's directory may be removed by whoever wins its fence with the word "gone", and by nobody else: so a fence that
# somebody has already read can never vanish.  In the directory itself, so that its successor cannot be hit; and what is
# entered must still be what bears the name: in one that somebody else is just deleting the fence may be gone already.
inode() { # path
	ls -di "$1" 2>/dev/null | {
		read -r TS_INODE TS_REST
		printf '%s' "$TS_INODE"
	}
}

remove_run() { # the run's directory, a name to rename it to; true if it was ours to remove
	if ! ln -s gone "owner.$TS_LINK" 2>/dev/null; then
		[ ! -L "owner.$TS_LINK" ] || return
		# No space even for a link: make some.  The mark says that this is a run's directory indeed.
		[ -f "submit.$TS_LINK" ] || return
		scrap work
		ln -s gone "owner.$TS_LINK" 2>/dev/null || return
	fi
	[ "$(inode .)" = "$(inode "$1")" ] && cd / && mv "$1" "$2" && scrap "$2"
}

read_mark() { # link, in the run's directory: when its submit called sbatch, and the seconds given to it; "-" if unknown
	TS_SINCE=- TS_LIMIT=-
	if [ -f "submit.$1" ]; then read -r TS_SINCE TS_LIMIT <"submit.$1"; fi
	# No time and no limit has twelve digits.
	case $TS_SINCE in
	'' | *[!0-9]* | ????????????*) TS_SINCE=- ;;
	esac
	case $TS_LIMIT in
	'' | *[!0-9]* | ????????????*) TS_LIMIT=- ;;
	esac
}

owner_of() { # link, in the run's directory: the word in the fence, or "-"
	readlink "owner.$1" 2>/dev/null || printf '%s\n' -
}

changed() { # paths: when each of them was changed last; by GNU's stat or BSD's, to which -f means something else
	if stat -c %Y / >/dev/null 2>&1; then stat -c %Y "$@"; else stat -f %m "$@"; fi
}

# Whoever was to remove this directory died long ago.  Nobody may remove it any more, and so the run in it, whatever
# sbatch said of it, is void for good: its key goes on with another one.
TS_REMOVAL=600
bury() { # in the run's directory
	[ "$(owner_of "$TS_LINK")" = gone ] || return 0
	# It may have gone since, and arithmetic with nothing ends a shell.
	TS_GONE=$(changed "owner.$TS_LINK")
	[ -n "$TS_GONE" ] && [ $(($(date +%s) - TS_GONE)) -ge "$TS_REMOVAL" ] || return 0
	ln -s void ".owner.$TS_NONCE" && mv -f ".owner.$TS_NONCE" "owner.$TS_LINK"
} 2>/dev/null
