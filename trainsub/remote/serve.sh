# Answers requests until the input ends, or until the client has been silent for so long that it must be dead.  A
# request is a length of eight characters and so much shell text, in braces: half of one is no command at all.
while TS_COUNT=$(within "$TS_IDLE" 8); do
	TS_COUNT=${TS_COUNT%%" "*}
	case $TS_COUNT in
	'' | *[!0-9]*) break ;;
	esac
	eval "$(within "$TS_IDLE" "$TS_COUNT")"
	frame end
done
frame bye
