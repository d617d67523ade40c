"""A disk with a volatile cache, and what a power cut leaves of it.

What a program wrote and did not sync may be lost with the page cache, and what the file system wrote and did not flush may be lost with the disk's.
Neither a kill nor a copy of a mounted volume shows that. So a real file system is made in a file that disk/main.go serves, through a loop device, and
each of its writes and flushes is recorded. A cut is then a second disk: all up to the last flush, and of the writes after it all, none or any part,
the last one perhaps torn between two sectors. The kernel mounts that one as after a real power cut: with the file system's own recovery.

Copies of the image would not do: they have what the disk's cache had. A snapshot by btrfs would not: it commits first. Nor would recording system
calls: which of them a file system has made durable at some moment is its own affair. (The device mapper's log-writes does the same in the kernel,
but not every machine's kernel has the device mapper.)"""

import contextlib
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

import harness
from harness import UID, Volume, expect, mount

SIZE = 1 << 30
SECTOR = 512
HEAD = struct.Struct('<cQQ')


def build():
    subprocess.run(['go', 'build', '-trimpath', '-o', harness.work / 'disk', '.'], cwd=Path(__file__).with_name('disk'), check=True, env={**os.environ, 'CGO_ENABLED': '0'})


def make_image(path, source, kind, *options, size=SIZE):
    """A file with a file system, which holds what the source does."""
    with open(path, 'wb') as image:
        image.truncate(size)
    subprocess.run([f'mkfs.{kind}', *{'ext4': ['-q', '-E', 'nodiscard'], 'btrfs': ['-q', '-K']}[kind], *options, path], check=True, stderr=subprocess.DEVNULL)
    place = Path(f'{path}.mounted')
    place.mkdir()
    mount(path, place, '-o', 'loop')
    subprocess.run(['cp', '-a', f'{source.path}/.', place], check=True)
    subprocess.run(['umount', place], check=True)
    place.rmdir()


def volume_of(image, source):
    """The volume in an image, with what is known of its source."""
    volume = Volume(image=image)
    volume.environment, volume.facts, volume.acknowledged = dict(source.environment), source.facts, source.acknowledged
    return volume


class RecordedDisk:
    """As a context: a volume on a recorded disk. Afterwards: the records, from which any cut is made."""

    def __init__(self, name, source, kind):
        self.place = harness.work / f'recorded {name}'
        self.place.mkdir()
        self.source = source
        make_image(self.place / 'before', source, kind)
        self.records = []

    def __enter__(self):
        image, log, served = self.place / 'image', self.place / 'log', self.place / 'served'
        subprocess.run(['cp', '--sparse=always', self.place / 'before', image], check=True)
        served.mkdir()
        self.process = subprocess.Popen([harness.work / 'disk', served, image, log])
        while not (served / 'mark').exists():
            expect(self.process.poll() is None, 'the recorded disk ended')
            time.sleep(0.01)
        self.volume = volume_of(served / 'disk', self.source)
        return self

    def marked(self):
        """A directory for a strike: what it calls becomes marks between the disk's records."""
        return self.place / 'served/mark'

    def mark(self, text):
        with open(self.place / 'served/mark', 'a') as file:
            file.write(text)

    def __exit__(self, *_):
        self.log = (self.place / 'log').read_bytes()
        # Lazily: the namespaces of other cases' containers have copies of these mounts. What they hold up is of no interest any more.
        for place in (self.volume.path, self.place / 'served'):
            subprocess.run(['umount', '--lazy', place], check=False)
        self.process.kill()
        self.process.wait(timeout=30)
        for name in ('image', 'log'):
            (self.place / name).unlink()
        shutil.rmtree(self.volume.top, ignore_errors=True)
        position = 0
        while position + HEAD.size <= len(self.log):
            kind, offset, length = HEAD.unpack_from(self.log, position)
            position += HEAD.size
            self.records.append((kind, offset, position, length))
            position += length

    def marks(self):
        """(number of the record, text) for each mark."""
        return [(number, self.log[at:at + length].decode(errors='replace').strip())
                for number, (kind, _, at, length) in enumerate(self.records) if kind == b'M']

    @contextlib.contextmanager
    def cut(self, end, rng, kept):
        """The volume after a power cut before record `end`, with that share of what was not flushed. Yields it and what the cut did."""
        flush = max((number for number, record in enumerate(self.records[:end]) if record[0] == b'F'), default=0)
        pending = [number for number in range(flush, end) if self.records[number][0] == b'W']
        survivors = [number for number in pending if rng.random() < kept]
        with Volume.lock:
            Volume.count += 1
            image = self.place / f'cut-{Volume.count}'
        subprocess.run(['cp', '--sparse=always', self.place / 'before', image], check=True)
        log, torn = memoryview(self.log), ''
        with open(image, 'r+b', buffering=0) as disk:
            for number in [*range(flush), *survivors]:
                kind, offset, at, length = self.records[number]
                if kind != b'W':
                    continue
                if [number] == survivors[-1:] and kept < 1:
                    length = rng.randrange(length // SECTOR + 1) * SECTOR
                    torn = f', the last one torn after {length} bytes'
                disk.seek(offset)
                disk.write(log[at:at + length])
        volume = volume_of(image, self.source)
        try:
            yield volume, f'record {end} of {len(self.records)}, {len(pending)} writes since the last flush, {len(survivors)} of them kept{torn}'
        finally:
            subprocess.run(['umount', '--lazy', volume.path], check=False)
            shutil.rmtree(volume.top, ignore_errors=True)
            image.unlink()
