"""When a cluster's Slurm may be asked, as all processes of one machine share it. Pure: no clock, no chance, no disk.

Two purses pay for questions. Each of squeue, sacct and scontrol costs one; each purse is given one for every steady
interval (30 s unless configured). The ordinary purse holds two, so whatever asks, and however many do, the ordinary
questions of any minute are two on the long run. The other purse holds eight, and pays while something is new: a run
that was never looked for, and the growing intervals after it.

Times are of this machine's wall clock, because processes share them. It may jump: a time that is still to come and
should have passed is the mark of that, and then what hangs on it is let go, so that nothing waits for a wrong clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trainsub.tracker.track import finished
from trainsub.tracker.values import Job

STEADY_SECONDS = 30
"""The usual interval where nothing is new: two questions a minute."""
FIRST_SECONDS = 2.0
"""The pause after a question that told something new; each later one is twice as long, up to the steady interval."""
FRESH_SECONDS = 15.0
"""Data younger than this is not asked for again, or younger than half the steady interval where that is less."""
ORDINARY, NEWS = 2.0, 8.0
"""What the purses hold."""
DEBT = -2.0
"""What orders (cancel, hold) and late records may take on credit: who watches is delayed by so many intervals."""
SLOW_FACTOR = 5.0
"""The pause is at least so many times as long as the answer took: a slow controller is asked less often."""
SILENT_SECONDS = 120.0
"""The longest pause while Slurm does not answer."""
HELD_SECONDS, LONGEST_SECONDS = 60.0, 600.0
"""The shortest and the longest pause after Slurm said that it is asked too often."""
LEASE_SECONDS = 120.0
"""After this a process that is still asking is taken for one that sleeps."""
BUSY_SECONDS = 0.5
"""When to look again whether another process has its answer."""
ACCOUNTS_FIRST_SECONDS, ACCOUNTS_LONGEST_SECONDS = 2.0, 600.0
"""The shortest and the longest pause between two questions for records that are late."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one cluster was asked, and when it may be again.

    Attributes:
        asked_at: When the newest question began, or ended.
        next_at: When the next one is due.
        interval: Seconds of the newest pause, before jitter.
        ordinary: What is left for questions when nothing is new.
        news: What is left for those while something is new.
        filled_at: When the purses were last filled up.
        held_until: Slurm said that it is asked too often: nothing is asked before.
        asking_since: A process asks now, since then.
        accounts_at: When sacct was last asked.
        trouble: Why the last question was not answered; None once one was.
    """

    asked_at: datetime | None = None
    next_at: datetime | None = None
    interval: float = FIRST_SECONDS
    ordinary: float = ORDINARY
    news: float = NEWS
    filled_at: datetime | None = None
    held_until: datetime | None = None
    asking_since: datetime | None = None
    accounts_at: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How a question went.

    Attributes:
        questions: How many commands Slurm was asked, the first included.
        seconds: How long they took.
        accounts: Whether sacct was among them.
        trouble: Why squeue was not answered; None if it was.
        held: Slurm said that it is asked too often.
    """

    questions: int
    seconds: float
    accounts: bool = False
    trouble: str | None = None
    held: bool = False


def fresh_seconds(steady: float) -> float:
    """The age up to which data is not asked for again."""
    return min(FRESH_SECONDS, steady / 2)


def seconds_until(one: Schedule, now: datetime, *, steady: float, news: bool, due: bool, alone: bool) -> float:
    """Seconds until the cluster may be asked; 0 if it may be now.

    Args:
        one: What the processes know.
        now: The time.
        steady: The steady interval, seconds.
        news: There is something that was never looked for.
        due: Only when it is due, as who watches does; a person's question does not wait for that.
        alone: It is certain that no other process asks: its lock would be there.
    """
    if not alone and _ahead(one.asking_since, now, since=one.asking_since, within=LEASE_SECONDS) > 0:
        return BUSY_SECONDS
    held = _until(one.held_until, now, one)
    news = news and one.trouble is None
    pause = _until(one.next_at, now, one) if due and not news else 0.0
    return max(held, pause, _until_paid(_filled(one, now, steady), steady, news=news))


def asking(one: Schedule, now: datetime, *, steady: float, news: bool) -> Schedule:
    """A process begins to ask."""
    full = _filled(one, now, steady)
    begun = replace(full, asked_at=now, asking_since=now, held_until=None)
    if news and one.trouble is None:
        begun = replace(begun, interval=0.0)
    return _paid(begun, 1, steady)


def answered(one: Schedule, now: datetime, answer: Answer, *, steady: float, jitter: float) -> Schedule:
    """A process has its answer, or knows that there is none.

    Args:
        one: What the processes know.
        now: The time.
        answer: How it went.
        steady: The steady interval, seconds.
        jitter: A random factor, 1 or a little more, so that many machines do not march in step.
    """
    later = _paid(_filled(one, now, steady), answer.questions - 1, steady)
    interval = min(max(FIRST_SECONDS, 2 * one.interval), steady)
    if answer.held:
        interval = min(max(HELD_SECONDS, 2 * one.interval), LONGEST_SECONDS)
    elif answer.trouble is not None:
        interval = min(max(FIRST_SECONDS, 2 * one.interval), max(SILENT_SECONDS, steady))
    pause = max(interval * jitter, min(SLOW_FACTOR * answer.seconds, LONGEST_SECONDS))
    due = now + timedelta(seconds=pause)
    return replace(
        later,
        asked_at=now,
        next_at=due,
        interval=interval,
        held_until=due if answer.held else None,
        asking_since=None,
        accounts_at=now if answer.accounts else one.accounts_at,
        trouble=answer.trouble,
    )


def given_up(one: Schedule, now: datetime, *, steady: float) -> Schedule:
    """A process could not reach the cluster: Slurm was not asked, and another process may have more luck."""
    back = _filled(one, now, steady)
    return replace(back, asking_since=None, ordinary=min(back.ordinary + 1, ORDINARY))


def accounts_due(job: Job, now: datetime, *, clock: datetime | None, asked_at: datetime | None) -> bool:
    """Whether to ask sacct about a job that left the queue: at once, then at pauses that grow with the time since.

    Args:
        job: As it was known before this poll.
        now: This machine's time.
        clock: The cluster's time; None if it is not known.
        asked_at: When sacct was last asked for anything.
    """
    if job.missing_since is not None:
        gone = (now - job.missing_since).total_seconds()
    elif finished(job) and job.end_time is not None:
        gone = ((clock or now) - job.end_time).total_seconds()
    else:
        return True
    if asked_at is None or asked_at > now:
        return True
    pause = min(max(ACCOUNTS_FIRST_SECONDS, gone / 2), ACCOUNTS_LONGEST_SECONDS)
    return (now - asked_at).total_seconds() >= pause


def _until(time: datetime | None, now: datetime, one: Schedule) -> float:
    """Seconds until a time that was set when the cluster was last asked."""
    return _ahead(time, now, since=one.asked_at, within=0.0)


def _ahead(time: datetime | None, now: datetime, *, since: datetime | None, within: float) -> float:
    """Seconds until some seconds after a time; 0 if that has passed, or if it was set in a future that is none."""
    if time is None or (since is not None and now < since):
        return 0.0
    return max(0.0, (time - now).total_seconds() + within)


def _filled(one: Schedule, now: datetime, steady: float) -> Schedule:
    """The purses as they are now; a clock that was set back gives nothing, and takes nothing."""
    passed = max(0.0, (now - (one.filled_at or now)).total_seconds())
    earned = passed / steady
    return replace(one, ordinary=min(one.ordinary + earned, ORDINARY), news=min(one.news + earned, NEWS), filled_at=now)


def _until_paid(one: Schedule, steady: float, *, news: bool) -> float:
    """Seconds until a purse can pay for one question."""
    best = max(one.ordinary, one.news) if news or one.interval < steady else one.ordinary
    return max(0.0, 1 - best) * steady


def _paid(one: Schedule, questions: int, steady: float) -> Schedule:
    """Take what questions cost: from the purse for news first while something is new, else from the ordinary one."""
    news = min(max(one.news, 0.0), questions) if one.interval < steady else 0.0
    return replace(one, news=one.news - news, ordinary=max(one.ordinary - (questions - news), DEBT))
