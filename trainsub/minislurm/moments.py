"""Times as ``--begin`` and ``sacct -S`` take them: ``2030-01-20T12:34``, ``16:00``, ``now+1hour``. Pure.

The time zone is the process's own.
"""

import re
import time

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_NAMED = {"midnight": 0, "elevenses": 11, "fika": 15, "noon": 12, "teatime": 16}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]m)?", re.IGNORECASE)
_PLUS = re.compile(r"\s*([+-])\s*(\d{1,12})\s*(second|minute|hour|day|week|)(?:s\b|\b)", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_SLASHES = re.compile(r"(\d{1,2})([/.])(\d{1,2})(?:\2(\d{2}))?(?![/.\d])")
_DIGITS = re.compile(r"(\d{2})(\d{2})(\d{2})(?!\d)")
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_EPOCH = re.compile(r"uts(\d{7,12})", re.IGNORECASE)
_END = 253402300800
"""The year 10000, where clocks end."""
_BETWEEN = re.compile(r"[\sT-]+")


class MomentError(ValueError):
    """It is no time; the message is what Slurm prints."""

    def __init__(self, text: str, place: int) -> None:
        super().__init__(f"Invalid time specification (pos={place}): {text}")


class _Reader:
    """Reads one time, part by part."""

    def __init__(self, text: str, now: float, *, past: bool) -> None:
        self.text = text
        self.past = past
        self.place = 0
        self.now = int(now)
        today = time.localtime(self.now)
        self.today = (today.tm_year, today.tm_mon, today.tm_mday)
        self.date: tuple[int, int, int] | None = None
        self.clock: tuple[int, int, int] | None = None
        self.fixed: int | None = None
        self.plus = 0

    def wrong(self) -> MomentError:
        return MomentError(self.text, self.place)

    def read(self) -> int:
        parts = (self._word, self._iso, self._clock, self._slashes, self._digits)
        while self.place < len(self.text):
            if between := self._match(_BETWEEN):
                self.place = between.end()
            elif not any(part() for part in parts):
                raise self.wrong()
        return self._moment()

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.text, self.place)

    def _word(self) -> bool:
        epoch = self._match(_EPOCH)
        if epoch is not None:
            self.fixed, self.place = int(epoch.group(1)), epoch.end()
            return True
        match = self._match(_WORD)
        if match is None:
            return False
        word = match.group().lower()
        if word == "now":
            self.fixed = self.now
        elif word == "today":
            self.date = self.today
        elif word == "tomorrow":
            # Days past the end of a month are put right by mktime.
            self.date = (*self.today[:2], self.today[2] + 1)
        elif word in _NAMED:
            self.clock = (_NAMED[word], 0, 0)
        else:
            raise self.wrong()
        self.place = match.end()
        if word == "now":
            self._plus()
        return True

    def _plus(self) -> None:
        rest = self.text[self.place :].lstrip()
        if not rest:
            return
        match = self._match(_PLUS)
        if match is None:
            self.place += rest[1:2].isdecimal() and rest[0] in "+-"
            raise self.wrong()
        sign = 1 if match.group(1) == "+" else -1
        self.plus = sign * int(match.group(2)) * _UNITS[match.group(3).lower() or "second"]
        # Whatever follows is not read.
        self.place = len(self.text)

    def _iso(self) -> bool:
        match = self._match(_ISO)
        if match is None:
            return False
        return self._take_date(match, *(int(one) for one in match.groups()))

    def _slashes(self) -> bool:
        match = self._match(_SLASHES)
        if match is None:
            return False
        month, day = int(match.group(1)), int(match.group(3))
        year = int(match.group(4)) + 2000 if match.group(4) is not None else self._year(month, day)
        return self._take_date(match, year, month, day)

    def _digits(self) -> bool:
        match = self._match(_DIGITS)
        if match is None:
            return False
        month, day, year = (int(one) for one in match.groups())
        return self._take_date(match, year + 2000, month, day)

    def _year(self, month: int, day: int) -> int:
        """Return the year of the next such day, or this year where the past is meant."""
        return self.today[0] + (not self.past and (month, day) < self.today[1:])

    def _take_date(self, match: re.Match[str], year: int, month: int, day: int) -> bool:
        iso = match.re is _ISO
        for value, most, group in ((month, 12, 2 if iso else 0), (day, 31, 3 if iso else 0)):
            if not 1 <= value <= most:
                self.place = match.start(group)
                raise self.wrong()
        self.date, self.place = (year, month, day), match.end()
        return True

    def _clock(self) -> bool:
        match = self._match(_CLOCK)
        if match is None:
            return False
        hour, minute, second = int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)
        half = (match.group(4) or "").lower()
        for value, limit, group in ((hour, 24, 0), (minute, 60, 2), (second, 60, 3)):
            if value >= limit:
                self.place = match.start(group)
                raise self.wrong()
        if half:
            if not 1 <= hour <= 12:  # noqa: PLR2004 - half a day
                self.place = match.start(4)
                raise self.wrong()
            hour = hour % 12 + (12 if half.startswith("p") else 0)
        self.clock, self.place = (hour, minute, second), match.end()
        return True

    def _moment(self) -> int:
        if self.fixed is not None:
            moment = self.fixed + self.plus
        elif self.date is None and self.clock is None:
            raise self.wrong()
        else:
            moment = self._local(self.date or self.today)
            if self.date is None and moment < self.now and not self.past:
                # An hour that has passed today is meant for tomorrow.
                moment = self._local((*self.today[:2], self.today[2] + 1))
        if not 0 <= moment < _END:
            raise self.wrong()
        return moment

    def _local(self, date: tuple[int, int, int]) -> int:
        return int(time.mktime((*date, *(self.clock or (0, 0, 0)), 0, 0, -1)))


def parse(text: str, now: float, *, past: bool = False) -> int:
    """Return the seconds since 1970 that a time means.

    Args:
        text: As the user wrote it.
        now: The clock.
        past: An hour or a day without a year is one of today or this year, as for sacct; otherwise the next one.

    Raises:
        MomentError: Slurm would not take it either.
    """
    return _Reader(text, now, past=past).read()
