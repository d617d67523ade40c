"""Campaigns: the power is cut right after the Job's success, and after each of its moves. And without the Job's syncs, which has to go wrong."""

import re
import threading
from random import Random

import harness
from campaign import Case, compare, converge
from disk import RecordedDisk
from harness import Failure, expect
from kills import OF_THE_SCRIPT
from strike import Strike

KINDS = (('ext4', 'link'), ('ext4', 'copy'), ('btrfs', 'clone'))
SHARES = (0, 0.5, 1)  # of what was written and not flushed


def record(name, source, kind, commands, **environment):
    """The disk of a run of these commands one after the other, with a mark "COMMAND ended" after each."""
    with RecordedDisk(name, source, kind) as disk:
        for command in commands:
            code, result = Strike(disk.volume, command, calls=disk.marked(), **environment).finish()
            expect(code == 0, f'{command} on a recorded disk: {result}')
            disk.mark(f'{command} ended')
    return disk


class Disks:
    """By file system and transfer, the disk of an upgrade and a revert; recorded when it is first asked for."""

    def __init__(self, source):
        self.source, self.recorded = source, {one: None for one in KINDS}
        self.locks = {one: threading.Lock() for one in KINDS}

    def get(self, kind, transfer):
        with self.locks[kind, transfer]:
            if self.recorded[kind, transfer] is None:
                self.recorded[kind, transfer] = record(f'{kind} {transfer}', self.source, kind, ['upgrade', 'revert'], TRANSFER=transfer)
            return self.recorded[kind, transfer]


def success_cases(disks, rng):
    """PostgreSQL 14 has to be there with everything at once, and the way back has to be open."""
    for kind, transfer in KINDS:
        for share in SHARES:
            for then in ('start of PostgreSQL 14', 'revert'):
                yield Case('power cut after success', f'{transfer} on {kind}, {share:.0%} of the unflushed kept, then {then}',
                           cut_after_success(disks, kind, transfer, share, then, rng.random()))


def cut_after_success(disks, kind, transfer, share, then, seed):
    def run(outcome):
        disk, environment = disks.get(kind, transfer), {'TRANSFER': transfer}
        end = next(number for number, text in disk.marks() if text == 'upgrade ended')
        with disk.cut(end, Random(seed), share) as (volume, proof):
            outcome.proof = f'{proof}; after the Job had ended with 0'
            volume.run('status', 0, 'status', 'swapped')
            if then == 'revert':
                converge(volume, 'revert', outcome, **environment)
            else:
                checksums(volume)
                compare(volume, '14', outcome)
                outcome.converged = True
    return run


def old_kernel_cases(fixtures, rng):
    """Where syncfs says nothing of errors, the new cluster is flushed file by file."""
    for share in (0, 0.5):
        yield Case('power cut after success', f'link on ext4 with Linux 5.4, {share:.0%} of the unflushed kept', cut_on_old_kernel(fixtures['base'], share, rng.random()))


def cut_on_old_kernel(source, share, seed):
    def run(outcome):
        name = f'old kernel {share}'
        disk = record(name, source, 'ext4', ['upgrade'], TRANSFER='link', PATH=path_with(name, uname='echo 5.4.0-1'))
        flushes = [text for _, text in disk.marks() if text.startswith('initdb fsync data-14')]
        expect(len(flushes) > 100, f'it made {len(flushes)} flushes of files')
        end = next(number for number, text in disk.marks() if text == 'upgrade ended')
        with disk.cut(end, Random(seed), share) as (volume, proof):
            outcome.proof = f'{proof}; after {len(flushes)} flushes of files'
            checksums(volume)
            compare(volume, '14', outcome)
            outcome.converged = True
    return run


def path_with(name, **commands):
    """A PATH in which these commands are replaced by these lines of bash."""
    place = harness.work / name / 'path'
    place.mkdir(parents=True)
    for command, text in commands.items():
        wrap(place / command, text)
    return f'{place}:/usr/bin:/bin'


def checksums(volume):
    """Every page of every file, indexes too, by PostgreSQL's own checksums."""
    said = harness.shell('"$1" --check -D "$2"', harness.work / 'pg/14/bin/pg_checksums', volume.data)
    expect('Bad checksums:  0' in said, said)


def move_cases(disks, rng, kinds=KINDS):
    """After each call by which the script makes its moves, and at seeded calls inside of pg_upgrade: one new run has to converge."""
    for kind, transfer in kinds:
        disk = disks.get(kind, transfer)
        marks = disk.marks()
        own = [number for number, (_, text) in enumerate(marks) if text.split()[0] in OF_THE_SCRIPT and not re.search('upgrade-logs/(?!delete)|rm unlink data-14/.', text)]
        others = [number for number in range(len(marks)) if number not in set(own)]
        for index, number in enumerate(sorted([*own, *rng.sample(others, 30)])):
            text = marks[number][1]
            end = marks[number + 1][0] if number + 1 < len(marks) else len(disk.records)  # the call itself has been made
            command = 'upgrade' if 'upgrade ended' in [later for _, later in marks[number:]] else 'revert'
            yield Case('power cut after a move', f'{transfer} on {kind}, {command} after {text}, then {("upgrade", "revert")[index % 2]}',
                       cut_after_move(disk, end, text, ('upgrade', 'revert')[index % 2], rng.choice(SHARES), rng.random(), TRANSFER=transfer))


def cut_after_move(disk, end, text, then, share, seed, **environment):
    def run(outcome):
        with disk.cut(end, Random(seed), share) as (volume, proof):
            state = volume.run('status', 0, 'status', None)['state']
            outcome.proof = f'{proof}; after {text}; the state is {state}'
            converge(volume, then, outcome, **environment)
    return run


def unsynced_cases(fixtures, rng):
    """That these tests can fail: the same cut, with the Job's syncs replaced by nothing, has to be seen as the damage that it is."""
    real_sync, real_initdb = 'exec /usr/bin/sync "$@"', f'exec {harness.work}/pg/14/bin/initdb "$@"'
    missing = {
        'no sync at all': ({'sync': 'exit 0'}, real_initdb),
        'no flush of the volume': ({'sync': f'[[ $1 == -f ]] && exit 0; {real_sync}'}, real_initdb),
        'no flush of the files, with Linux 5.4': ({'uname': 'echo 5.4.0-1'}, f'[[ " $* " == *" --sync-only "* ]] && exit 0; {real_initdb}'),
    }
    for title, (commands, initdb) in missing.items():
        yield Case('syncs taken out: has to fail', title, goes_wrong_without(fixtures['base'], title, commands, initdb, rng.random()))


def goes_wrong_without(source, title, commands, initdb, seed):
    def run(outcome):
        programs = harness.work / title / '14'
        programs.mkdir(parents=True)
        for binary in (harness.work / 'pg/14/bin').iterdir():
            (programs / binary.name).symlink_to(binary)
        wrap(programs / 'initdb', initdb)
        disk = record(title, source, 'ext4', ['upgrade'], TRANSFER='link', PATH=path_with(title, **commands), NEW_BIN=programs)
        end = next(number for number, text in disk.marks() if text == 'upgrade ended')
        with disk.cut(end, Random(seed), 0) as (volume, proof):
            try:
                volume.run('status', 0, 'status', 'swapped')
                checksums(volume)
                compare(volume, '14', outcome)
            except Failure as failure:
                outcome.proof = f'{proof}; the damage: {str(failure).splitlines()[0][:300]}'
            expect(outcome.proof, 'nothing was lost: this test does not see what it is for')
            outcome.acknowledged = outcome.lost = 0  # they are lost as they should be
            outcome.converged = True
    return run


def wrap(path, text):
    path.unlink(missing_ok=True)
    path.write_text(f'#!/bin/bash\n{text}\n')
    path.chmod(0o755)
