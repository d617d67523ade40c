"""Runs the Job with strike.c preloaded: stops it at one chosen system call, and tells which one that was."""

import fnmatch
import os
import shutil
import subprocess
import time
from pathlib import Path

import harness
from harness import UID, expect, kill


def build():
    library = harness.work / 'strike.so'
    subprocess.run(['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, Path(__file__).with_name('strike.c'), '-ldl'], check=True)
    library.chmod(0o755)


class Strike:
    """One run of a command on a volume, which is struck at the nth call that fits the pattern; without a pattern it only records its calls, in the
    file that is given."""

    def __init__(self, volume, command, pattern='', nth=0, action='pause', calls=None, **environment):
        self.volume, self.pattern, self.nth = volume, pattern, nth
        self.journaled = len(self.journal())
        self.gate = volume.top / 'strike'
        shutil.rmtree(self.gate, ignore_errors=True)
        self.gate.mkdir()
        (self.gate / 'count').write_bytes(bytes(8))
        if calls:
            (self.gate / 'calls').symlink_to(calls)
        for path in (self.gate, self.gate / 'count'):
            os.chown(path, UID, UID)
        self.process = volume.start(command, GATE=self.gate, LD_PRELOAD=harness.work / 'strike.so', STRIKE_ROOT=volume.path,
                                    STRIKE_PATTERN=pattern, STRIKE_NTH=nth, STRIKE_ACTION=action, **environment)

    def wait(self):
        """Until it is struck. What happens then is up to the caller, where the action is pause."""
        while self.process.poll() is None and not self.struck():
            time.sleep(0.005)
        expect(self.struck(), f'it ended before it was struck: {self.volume.read_log()[-1500:]}')

    def kill(self):
        """SIGKILL for all of its processes at once, as a node's death or the kubelet's does it."""
        self.wait()
        kill(self.process)

    def go_on(self):
        (self.gate / 'open').touch()
        return self.volume.finish(self.process)

    def finish(self):
        return self.volume.finish(self.process)

    def struck(self):
        file = self.gate / 'struck'
        return file.read_text().strip() if file.exists() else ''

    def calls(self):
        return (self.gate / 'calls').read_text(errors='replace').splitlines()

    def proof(self):
        """The call that did not happen, and what the Job's journal said then."""
        before = self.calls()
        fitting = [number for number, call in enumerate(before) if fnmatch.fnmatchcase(call, self.pattern)]
        del before[fitting[self.nth - 1]:]
        written = self.journal()[:self.journaled + before.count('bash create .postgresql-upgrade/journal')]
        last = ' '.join(written[-1].split()[2:]).replace(f'{self.volume.path}/', '') if written else 'nothing yet'
        return f'call {len(before) + 1} on the volume, {self.struck()}; the journal said: {last}'

    def journal(self):
        journal = self.volume / '.postgresql-upgrade/journal'
        return journal.read_text().splitlines() if journal.exists() else []
