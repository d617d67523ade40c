"""Campaign: the volume takes no more, in the middle of each phase: no space, no inodes, a quota of btrfs, or the file system has gone read-only.

The Job refuses, or goes back whole, or comes to its end, and says what was wrong; once there is room again, one new run converges."""

import contextlib
import os
import shutil
import subprocess

import harness
from campaign import Case, converge, twin
from disk import make_image, volume_of
from harness import Failure, Volume, expect, mount
from strike import Strike

PHASES = {
    'before its first write': ('mkdir mkdir .postgresql-upgrade', 1),
    'when it prepares the old cluster': ('bash create .postgresql-upgrade/reserve', 1),
    'at initdb': ('initdb create data-14/*', 3),
    'in the middle of initdb': ('postgres create data-14/*', 500),
    'when pg_upgrade begins': ('pg_upgrade create upgrade-logs/*', 4),
    'at the dump': ('pg_dump create upgrade-logs/*', 2),
    'when the transaction status is copied': ('cp create data-14/*', 1),
    'when pg_control is renamed': ('pg_upgrade rename *pg_control.old', 1),
    'in the middle of linking': ('pg_upgrade link data/base/*', 12),
    'at the flush of the new cluster': ('sync syncfs data-14', 1),
    'at the marker': ('bash create .postgresql-upgrade/marker', 1),
    'at delete_old_cluster.sh': ('cp create upgrade-logs/delete_old_cluster.sh.new', 1),
    'at the first rename': ('mv rename data -> *', 1),
    'at the second rename': ('mv rename data-14 -> *', 1),
}
SAYS_SO = ('No space left', 'quota exceeded', 'accepts no more data', 'not enough', 'Read-only file system', 'Input/output error')


def full_cases(fixtures, rng):
    for kind in (NoSpace, NoInodes, UsedUpQuota, ReadOnly):
        for title, (pattern, nth) in PHASES.items():
            if kind is UsedUpQuota and title == 'in the middle of linking':
                pattern = 'pg_upgrade clone data-14/*'
            if kind is UsedUpQuota and title == 'when pg_control is renamed':
                continue  # a clone does not rename it
            yield Case(kind.campaign, f'{kind.title} {title}', strikes(kind, fixtures['base'], pattern, nth))


def strikes(kind, source, pattern, nth):
    def run(outcome):
        with kind(source) as fault:
            strike = Strike(fault.volume, 'upgrade', pattern, nth)
            strike.wait()
            fault.begin()
            code, result = strike.go_on()
            end = (code, result['outcome'], result['state'])
            outcome.proof = f'{strike.proof()}; {fault.evidence}; the Job ended with {end}: {result["message"][:200]}'
            if code != 0:
                expect(end in kind.ends, f'the Job ended with {end}: {result["message"]}\n{fault.volume.log[-2500:]}')
                expect(any(words in result['message'] for words in SAYS_SO), f'its message does not name the cause: {result["message"]}')
            fault.end()
            converge(fault.volume, 'upgrade', outcome)
    return run


class OnExt4:
    """A small ext4 of its own, in a file."""
    campaign, ends = 'full disk', ((10, 'failed', 'fresh'), (11, 'refused', 'fresh'), (11, 'refused', 'unexamined'))
    options = ('-m', '0')

    def __init__(self, source):
        with Volume.lock:
            Volume.count += 1
            self.image = harness.work / f'small-{Volume.count}'
        self.source, self.evidence = source, ''
        make_image(self.image, source, 'ext4', *self.options, size=460 << 20)

    def __enter__(self):
        self.volume = volume_of(self.image, self.source)
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', '--lazy', self.volume.path], check=False)
        shutil.rmtree(self.volume.top, ignore_errors=True)
        self.image.unlink()

    def numbers(self):
        fields = os.statvfs(self.volume.path)
        return f'{fields.f_bavail * fields.f_frsize} bytes and {fields.f_favail} inodes are free'


class NoSpace(OnExt4):
    title = 'no space'

    def begin(self):
        with open(self.volume / 'filler', 'wb', buffering=0) as filler:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))
        self.evidence = self.numbers()

    def end(self):
        (self.volume / 'filler').unlink()


class NoInodes(OnExt4):
    title = 'no inodes'
    options = ('-m', '0', '-N', '8192')

    def begin(self):
        place = self.volume / 'filler'
        with contextlib.suppress(OSError):
            place.mkdir()
            for number in range(10000):
                (place / str(number)).touch()
        self.evidence = self.numbers()

    def end(self):
        shutil.rmtree(self.volume / 'filler', ignore_errors=True)


class ReadOnly(OnExt4):
    """As after an error of the disk: ext4 gives up its journal and writes nothing any more. Whoever mounts it again has what was durable."""
    title, campaign = 'read-only', 'read-only volume'
    ends = (*OnExt4.ends, *((15, 'failed', state) for state in ('leftover', 'linking', 'upgraded', 'half-swapped')), (10, 'failed', 'half-swapped'),
            (10, 'failed', 'upgraded'), (10, 'failed', 'swapped'), (15, 'failed', 'swapped'))

    def begin(self):
        mount('none', self.volume.path, '-o', 'remount,abort')
        try:
            (self.volume / 'written').touch()
            raise Failure('the file system is not read-only')
        except OSError as error:
            self.evidence = f'a write is answered with: {error.strerror}'

    def end(self):  # a second image, since containers of other cases may still have the mount of the first one
        again = self.image.with_name(f'{self.image.name}-again')
        subprocess.run(['cp', '--sparse=always', self.image, again], check=True)
        top = self.volume.top
        subprocess.run(['umount', '--lazy', self.volume.path], check=False)
        shutil.rmtree(top, ignore_errors=True)
        self.image.unlink()
        self.image = again
        self.volume = volume_of(self.image, self.source)


class UsedUpQuota:
    """A subvolume of btrfs whose limit is reached: renames are refused too, and df tells nothing of it."""
    title, campaign, ends = 'used-up quota', 'full disk', OnExt4.ends

    def __init__(self, source):
        self.volume, self.evidence = twin(source, on_btrfs=True), ''

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.volume.__exit__(*exception)

    def begin(self):
        self.volume.limit(self.volume.used() + 4096)
        self.evidence = f'{self.volume.used()} bytes are used and 4096 more are allowed'

    def end(self):
        self.volume.limit('none')
