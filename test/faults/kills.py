"""Campaigns: the Job's processes are killed at every move of its own, and inside every phase of pg_upgrade; all of them, or one alone.

The places come from a recorded run: the system calls on the volume by which it makes its moves. Each is met again by what it is (which program
does what with which file, and for which time), not by when it was."""

import fnmatch
import functools
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from campaign import Case, converge, twin
from harness import expect
from strike import Strike

OF_THE_SCRIPT = {'bash', 'mv', 'sync', 'mkdir', 'ln', 'head', 'cp', 'rm'}
UNTIMED = re.compile('data(-14)?/pg_(stat|logical|wal)')  # servers' own, by the clock
TURNING = re.compile('mv |pg_upgrade (rename|link|clone)')  # after these another state is on the volume


def places(calls, rng):
    """Where to strike, as (pattern, which time): each of the script's own calls, and of each kind of call of PostgreSQL's programs the first, one
    in the middle, and a late one. Parallel workers do not always come in the same order: the late one leaves some room."""
    kinds = defaultdict(int)
    for call in calls:
        program, what, path = call.split(' ', 2)
        parts = path.split(' -> ')[0].split('/')
        if UNTIMED.match(path):
            continue
        exact = (program in OF_THE_SCRIPT and len(parts) <= 2 and parts[0] != 'upgrade-logs') or parts[-1].startswith(('pg_control', 'delete_old_cluster'))
        kinds[call if exact else f'{program} {what} {parts[0]}/*' if len(parts) > 1 else call, exact] += 1
    for (pattern, exact), count in kinds.items():
        late = count - count // 8
        for nth in sorted({*range(1, count + 1)} if exact else {1, rng.randint(1, late), late}):
            yield pattern, nth


def record(volume, command, **environment):
    """The calls of one run. The volume is then as that run left it."""
    strike = Strike(volume, command, **environment)
    code, result = strike.finish()
    expect(code == 0, f'{command}, to learn its calls: {result}')
    return strike.calls()


@functools.cache
def calls_of(fixture, transfer):
    """(calls of an upgrade, calls of a revert after it) on a copy of the volume."""
    with twin(fixture) as learned:
        return tuple(record(learned, command, TRANSFER=transfer) for command in ('upgrade', 'revert'))


def kill_cases(fixtures, rng):
    """All processes at once: link, clone and copy, and link on a server which had crashed. Then one new run, forward and back."""
    kinds = (('link', 'base', 'link'), ('clone', 'base on btrfs', 'clone'), ('copy', 'base', 'copy'), ('link after a crash of PostgreSQL 12', 'crashed', 'link'))
    with ThreadPoolExecutor(2) as pool:
        learned = list(pool.map(lambda kind: calls_of(fixtures[kind[1]], kind[2]), kinds))
    for (title, fixture, transfer), (upgrade_calls, revert_calls) in zip(kinds, learned):
        environment = {'TRANSFER': transfer}
        for command, calls in (('upgrade', upgrade_calls), ('revert', revert_calls)):
            chosen = list(places(calls, rng))
            if fixture == 'crashed':  # what is different there: until 12 has recovered
                chosen = [(pattern, nth) for pattern, nth in chosen if command == 'upgrade' and re.match(r'postgres \w+ data/|rm \w+ data/', pattern)]
            for number, (pattern, nth) in enumerate(chosen):
                for then in ('upgrade', 'revert') if TURNING.match(pattern) else ('upgrade', 'revert')[number % 2:][:1]:
                    yield Case(f'all killed, {title}', f'{command} at {pattern} ({nth}), then {then}',
                               killed(fixtures[fixture], command, pattern, nth, then, environment))


def killed(fixture, command, pattern, nth, then, environment):
    def run(outcome):
        with twin(fixture) as volume:
            if command == 'revert':
                volume.run('upgrade', 0, 'upgraded', 'swapped', **environment)
            strike = Strike(volume, command, pattern, nth, **environment)
            strike.kill()
            outcome.proof = strike.proof()
            converge(volume, then, outcome, **environment)
    return run


def alone_cases(fixtures, rng):
    """One process alone, as the kernel does it when memory runs out, or a disk that fails once: the Job goes back by itself or comes to its end,
    and one new run converges."""
    calls, _ = calls_of(fixtures['base'], 'link')
    for action, title in (('kill', 'one process killed'), ('EIO', 'one call answered by EIO')):
        for pattern, nth in list(places(calls, rng))[rng.randrange(2)::2]:  # every second place: the states in between are the other campaigns'
            if action == 'kill' and pattern.startswith('bash '):
                continue  # process number 1 is the whole container
            yield Case(title, f'upgrade at {pattern} ({nth})', alone(fixtures['base'], pattern, nth, action))


def alone(fixture, pattern, nth, action):
    def run(outcome):
        with twin(fixture) as volume:
            strike = Strike(volume, 'upgrade', pattern, nth, action, TRANSFER='link')
            code, result = strike.finish()
            expect(strike.struck(), 'it ended before it was struck')
            end = (code, result['outcome'], result['state'])
            outcome.proof = f'{strike.proof()}; the Job ended with {end}: {result["message"][:150]}'
            allowed = ((0, 'upgraded', 'swapped'), (10, 'failed', 'fresh'), (11, 'refused', 'fresh'), (11, 'refused', 'unexamined'), (15, 'failed', 'leftover'))
            expect(end in allowed, f'the Job ended with {end}: {result["message"]}\n{volume.log[-2500:]}')
            converge(volume, 'upgrade', outcome, TRANSFER='link')
    return run


def short(cases, rng, number, *needed):
    """A seeded choice, with one case for each of the patterns needed."""
    chosen = []
    for pattern in needed:
        fitting = [case for case in cases if fnmatch.fnmatchcase(f'{case.campaign}: {case.name}', pattern)]
        expect(fitting, f'no case fits {pattern}')
        chosen.append(rng.choice(fitting))
    rest = [case for case in cases if case not in chosen]
    return chosen + rng.sample(rest, max(0, min(number - len(chosen), len(rest))))
