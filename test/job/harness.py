"""Runs src/job/upgrade.sh as the Job's container would: an unprivileged user, process number 1 of its own process namespace, no environment."""

import contextlib
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UID, STRANGER, VOLUME_GROUP = 4321, 4322, 1001
work = Path('/unset')  # a tmpfs, in a mount namespace of our own: nothing of the machine is changed


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


def equal(actual, wanted, what):
    if actual != wanted and isinstance(actual, str) and '\n' in actual:
        raise Failure('\n'.join([what, *difflib.unified_diff(wanted.splitlines(), actual.splitlines(), 'wanted', 'is', lineterm='', n=0)]))
    expect(actual == wanted, f'{what}: {actual!r} instead of {wanted!r}')


def enter_namespace(program):
    """Starts the program anew where set_up wants to be, with the servers' directories in its environment. Returns in that one."""
    if os.geteuid() != 0:
        sys.exit(f'{program}: needs root, to make namespaces')
    if 'JOB_TEST_INSIDE' in os.environ:
        return
    options = "import('./src/database/session-options.ts').then(({ upgradeOptions }) => process.stdout.write(upgradeOptions))"
    said = subprocess.run(['scripts/node24', '-e', options], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    environment = dict(os.environ, JOB_TEST_INSIDE='yes', SESSION_OPTIONS=said)
    if 'PG12_BIN' not in environment or 'PG14_BIN' not in environment:
        cache = subprocess.run([ROOT / 'test/job/install'], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        environment |= {'PG12_BIN': f'{cache}/12/bin', 'PG14_BIN': f'{cache}/14/bin'}
        if Path(f'{cache}/locale').exists():
            environment['JOB_TEST_LOCALES'] = f'{cache}/locale'
    os.execvpe('unshare', ['unshare', '--mount', sys.executable, program, *sys.argv[1:]], environment)


def set_up():
    """Needs to be in a mount namespace of its own (unshare --mount)."""
    global work
    work = Path(tempfile.mkdtemp(prefix='job-', dir='/tmp'))
    mount('tmpfs', work, '-t', 'tmpfs', '-o', 'mode=755')
    for version in ('12', '14'):
        prefix = work / 'pg' / version
        prefix.mkdir(parents=True)
        mount(Path(os.environ[f'PG{version}_BIN']).resolve().parent, prefix, '--bind')
    if os.environ.get('JOB_TEST_LOCALES'):
        (work / 'locale').mkdir()
        mount(os.environ['JOB_TEST_LOCALES'], work / 'locale', '--bind')
    passwd = work / 'passwd'
    passwd.write_text(Path('/etc/passwd').read_text() + f'postgres-job:x:{UID}:{UID}::/tmp:/bin/bash\n')
    mount(passwd, '/etc/passwd', '--bind')
    script = work / 'upgrade'
    script.mkdir()
    for source in [*(ROOT / 'src/job').glob('*.sh'), *(ROOT / 'src/job').glob('*.awk')]:
        shutil.copy(source, script)
        (script / source.name).chmod(0o644)
    (work / 'volumes').mkdir()
    pool = work / 'btrfs'
    pool.mkdir()
    with open(f'{pool}.img', 'wb') as image:
        image.truncate(8 << 30)
    subprocess.run(['mkfs.btrfs', '--quiet', '--metadata', 'single', f'{pool}.img'], check=True, stderr=subprocess.DEVNULL)
    mount(f'{pool}.img', pool, '-o', 'loop')
    btrfs('quota', 'enable', pool)
    gate_wrappers()


def tear_down():
    for place in (work / 'btrfs', work):
        subprocess.run(['umount', '--lazy', str(place)], check=False)
    work.rmdir()


def mount(source, target, *options):
    subprocess.run(['mount', *options, str(source), str(target)], check=True)


def btrfs(*arguments):
    return subprocess.run(['btrfs', *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def isolated(command, uid=UID, environment=None, groups=str(VOLUME_GROUP)):
    """A command line which runs the command like a container of the Job."""
    variables = {'PATH': '/usr/bin:/bin', 'LOCPATH': str(work / 'locale'), **(environment or {})}
    user = [f'--reuid={uid}', f'--regid={uid}', f'--groups={groups}', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']
    return ['unshare', '--pid', '--ipc', '--fork', '--kill-child', '--mount-proc', 'setpriv', *user,
            'env', '-i', *(f'{name}={value}' for name, value in variables.items()), *map(str, command)]


def shell(script, *arguments, uid=UID):
    done = subprocess.run(isolated(['bash', '-euo', 'pipefail', '-c', script, 'test', *arguments], uid), capture_output=True, text=True, timeout=120)
    expect(done.returncode == 0, f'test command ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}')
    return done.stdout


# A gate is a command of the script which, at its Nth call, waits (for the test to kill everything, or to let it go on). Wrappers stand before
# the commands in PATH and in the servers' directories; the script knows nothing of them.
GATED = {'path': ['mv', 'sync', 'rm', 'mkdir', 'chmod', 'cp', 'ln'], '12': ['pg_ctl'], '14': ['initdb', 'pg_ctl', 'pg_upgrade', 'pg_dump', 'pg_restore', 'psql', 'postgres']}
WRAPPER = '''#!/bin/bash
case " $* " in *" --version "* | *" -V "*) exec {real} "$@" ;; esac
exec 8>>"$GATE/trace"
flock 8
echo "{name} $*" >&8
call=$(wc -l <"$GATE/trace")
flock -u 8
exec 8>&-
if [[ $call == "$(cat "$GATE/stop")" ]] || {{ pattern=$(cat "$GATE/pattern") && [[ -n $pattern && "{name} $*" == $pattern ]]; }}; then
  echo "{name} $*" >>"$GATE/reached"
  while [[ ! -e $GATE/open ]]; do sleep 0.02; done
  : >"$GATE/pattern"
fi
exec {real} "$@"
'''


def gate_wrappers():
    for place, names in GATED.items():
        directory = work / 'gated' / place
        directory.mkdir(parents=True)
        real = Path('/usr/bin') if place == 'path' else work / 'pg' / place / 'bin'
        if place != 'path':
            for binary in real.iterdir():
                (directory / binary.name).symlink_to(binary)
        for name in names:
            (directory / name).unlink(missing_ok=True)
            (directory / name).write_text(WRAPPER.format(name=name, real=real / name))
            (directory / name).chmod(0o755)


class Volume:
    """A volume like the server's: its root is root's, group-writable by the pod's group, with the data directory `data`.

    On a tmpfs (hard links, no reflinks), with options on one of its own; or a subvolume of btrfs (both), where a limit in bytes is the end and
    df does not know it. A copy of one on btrfs is on btrfs too. Or the file system in an image."""

    count = 0
    lock = threading.Lock()

    def __init__(self, source=None, options=None, on_btrfs=False, limit=None, image=None):
        with Volume.lock:
            Volume.count += 1
            self.top = work / 'volumes' / str(Volume.count)
        self.path = self.top / 'pv'
        self.path.mkdir(parents=True)
        self.subvolume = None
        if options:
            mount('tmpfs', self.path, '-t', 'tmpfs', '-o', options)
        elif image:
            mount(image, self.path, '-o', 'loop')
        elif on_btrfs or (source and source.subvolume):
            self.subvolume = work / 'btrfs' / self.top.name
            if source and source.subvolume:
                btrfs('subvolume', 'snapshot', source.subvolume, self.subvolume)
            else:
                btrfs('subvolume', 'create', self.subvolume)
            mount(self.subvolume, self.path, '--bind')
        self.mounted = bool(options or image or self.subvolume)
        os.chown(self.path, 0, VOLUME_GROUP)
        self.path.chmod(0o2775)
        self.result = self.top / 'result'
        self.result.touch()
        self.result.chmod(0o666)
        self.gate = self.top / 'gate'
        self.environment = {}
        self.facts = ''
        self.log = ''
        if source:
            if not (source.subvolume and self.subvolume):
                subprocess.run(['cp', '-a', f'{source.path}/.', str(self.path)], check=True)
            self.environment = dict(source.environment)
            self.facts = source.facts
        if limit:
            self.limit(limit)

    def limit(self, size):
        """Asked for at the pool, since it would itself be a write for a subvolume whose limit is reached, and be refused."""
        number = btrfs('inspect-internal', 'rootid', self.subvolume).strip()
        btrfs('qgroup', 'limit', size, f'0/{number}', work / 'btrfs')

    def used(self):
        """Bytes that count against the limit."""
        return int(btrfs('qgroup', 'show', '--sync', '--raw', '-f', self.subvolume).splitlines()[-1].split()[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.mounted:
            subprocess.run(['umount', '--lazy', str(self.path)], check=False)
        if self.subvolume and kind is None:
            btrfs('subvolume', 'delete', self.subvolume)
        if kind is None:
            shutil.rmtree(self.top, ignore_errors=True)

    def __truediv__(self, name):
        return self.path / name

    @property
    def data(self):
        return self.path / 'data'

    # ---- the script

    def start(self, command, uid=UID, gated=None, within=(), script='upgrade.sh', **environment):
        """gated: the number of the call to stop at, or a pattern of the call. within: a command that runs the container."""
        variables = {
            'MOUNT': self.path, 'DATA': self.data, 'RESULT_FILE': self.result, 'RUN_ID': 'test', 'JOBS': 2, 'HEARTBEAT_SECONDS': 1,
            'OLD_BIN': work / 'pg/12/bin', 'NEW_BIN': work / 'pg/14/bin', 'SUPERUSER': 'postgres', 'ENCODING': 'UTF8', 'SESSION_OPTIONS': os.environ['SESSION_OPTIONS'],
            'LC_COLLATE_VALUE': 'C.UTF-8', 'LC_CTYPE_VALUE': 'C.UTF-8', **self.environment, **environment}
        if gated is not None:
            shutil.rmtree(self.gate, ignore_errors=True)
            self.gate.mkdir()
            os.chown(self.gate, UID, UID)
            (self.gate / 'stop').write_text(str(gated if isinstance(gated, int) else 0))
            (self.gate / 'pattern').write_text('' if isinstance(gated, int) else gated)
            os.chown(self.gate / 'pattern', UID, UID)
            gates = work / 'gated'
            variables |= {'GATE': self.gate, 'PATH': f'{gates}/path:/usr/bin:/bin', 'OLD_BIN': gates / '12', 'NEW_BIN': gates / '14'}
        output = open(self.top / 'log', 'w')
        self.result.write_text('')
        return subprocess.Popen([*within, *isolated(['bash', work / 'upgrade' / script, command], uid, variables)], stdout=output, stderr=subprocess.STDOUT)

    def finish(self, process):
        try:
            code = process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            kill(process)
            raise Failure(f'did not end: {self.read_log()}')
        self.read_log()
        text = self.result.read_text()
        expect(len(text.encode()) <= 4096, f'result of {len(text)} bytes')
        try:
            result = json.loads(text)
        except ValueError:
            raise Failure(f'exit code {code}, no JSON in the result {text!r}: {self.log[-1500:]}') from None
        return code, result

    def read_log(self):
        self.log = (self.top / 'log').read_text(errors='replace')
        return self.log

    def run(self, command, code, outcome, state, **options):
        """Runs the script to its end and compares it with what is wanted (state None: any). Returns the result."""
        actual, result = self.finish(self.start(command, **options))
        wanted = (code, outcome, result['state'] if state is None else state)
        expect((actual, result['outcome'], result['state']) == wanted,
               f"{command}: {(actual, result['outcome'], result['state'])} instead of {wanted}: {result['message']}\n{self.log[-3000:]}")
        return result

    def stop_at(self, command, gated, until=None, **options):
        """Starts the script and waits until it is at the gate (or until says so). Returns the process, or None if it ended before."""
        process = self.start(command, gated=gated, **options)
        return process if self.wait(process, until) else None

    def wait(self, process, until=None):
        """Until something waits at the gate, or until says so. Returns whether that came before the end; fails after two minutes."""
        reached = self.gate / 'reached'
        deadline = time.monotonic() + 120
        while process.poll() is None:
            if time.monotonic() > deadline:
                kill(process)
                raise Failure(f'nothing came to the gate: {self.read_log()}')
            if (until or reached.exists)():
                return True
            time.sleep(0.0005 if until else 0.01)
        self.read_log()
        return False

    def move_gate(self, pattern):
        """Where the next one is to wait, while those who wait already go on waiting."""
        (self.gate / 'pattern').write_text(pattern)

    def waiting(self, words):
        """Whether a call with these words waits at the gate."""
        reached = self.gate / 'reached'
        return reached.exists() and words in reached.read_text()

    def open_gate(self):
        (self.gate / 'open').touch()

    # ---- the servers

    def sql(self, version, statements, database='postgres', superuser=None):
        return self.serve(version, [(database, statements)], superuser)

    def serve(self, version, queries, superuser=None, crash=False):
        """Starts a server like Bitnami's image does (its configuration outside the data directory) and asks it. Returns the answers."""
        superuser = superuser or self.environment.get('SUPERUSER', 'postgres')
        commands = self.top / 'sql'
        shutil.rmtree(commands, ignore_errors=True)
        commands.mkdir()
        for number, (database, statements) in enumerate(queries):
            (commands / f'{number:03}.database').write_text(database)
            (commands / f'{number:03}.sql').write_text(statements)
        for path in (commands, *commands.iterdir()):
            path.chmod(0o755)
        script = '''
            bin=$1 psql=$2 data=$3 commands=$4 superuser=$5 crash=$6
            conf=$(mktemp -d /tmp/c.XXXXXX)
            printf 'local all all trust\\n' >$conf/hba
            printf "data_directory='%s'\\nhba_file='%s'\\nlisten_addresses=''\\nunix_socket_directories='%s'\\n" "$data" "$conf/hba" "$conf" >$conf/postgresql.conf
            rm -f "$data/postmaster.pid"
            chmod 0700 "$data"
            $bin/pg_ctl -s -w -D $conf -l $conf/log start || { cat $conf/log; exit 1; }
            for file in "$commands"/*.sql; do
              $psql -h $conf -U "$superuser" -d "$(cat "${file%.sql}.database")" -XqAt -v ON_ERROR_STOP=1 -f "$file" 2>&1 || { tail $conf/log >&2; exit 1; }
            done
            if [[ $crash == yes ]]; then rm -rf $conf; exit; fi  # the end of this shell is the end of its namespace: SIGKILL for the server
            $bin/pg_ctl -s -w -m fast -D $conf stop
            rm -rf $conf'''
        return shell(script, work / f'pg/{version}/bin', work / 'pg/14/bin/psql', self.data, commands, superuser, 'yes' if crash else 'no')

    def fingerprint(self, version):
        """The content, as a server of that version sees it."""
        databases = self.sql(version, "SELECT datname FROM pg_database WHERE datname <> 'template0' ORDER BY 1").splitlines()
        roles = "SELECT a.rolname, a.rolpassword, a.rolsuper, r.rolconfig FROM pg_authid a JOIN pg_roles r USING (oid) WHERE a.rolname !~ '^pg_' ORDER BY 1;"
        return self.serve(version, [(databases[0], roles + 'SHOW work_mem;')] + [(name, FINGERPRINT) for name in databases])

    def remember(self):
        self.facts = self.fingerprint('12')

    def expect_twelve(self, clean=True):
        """PostgreSQL 12 is as it was, and nothing of the upgrade is left but its journal, its lock and the logs."""
        equal((self.data / 'PG_VERSION').read_text().strip(), '12', 'PG_VERSION')
        if clean:
            equal(sorted(p.name for p in (self / '.postgresql-upgrade').iterdir()), ['journal', 'lock'], 'our files')
        for name in ('data-14', 'data-12.preupgrade', 'upgrade-logs/delete_old_cluster.sh'):
            expect(not (self / name).exists(), f'{name} is there')
        equal(self.fingerprint('12'), self.facts, 'the content of PostgreSQL 12')

    def expect_fourteen(self, kept=None):
        """PostgreSQL 14 has it all. kept: after it has served, PostgreSQL 12 is whole beside it (True), or not to be started (False)."""
        equal((self.data / 'PG_VERSION').read_text().strip(), '14', 'PG_VERSION')
        expect(not (self / 'data-14').exists(), 'data-14 is there')
        equal(sorted(p.name for p in self.data.iterdir() if 'conf' in p.name), ['pg_ident.conf', 'postgresql.auto.conf'], 'configuration files')
        equal(self.fingerprint('14'), self.facts, 'the content of PostgreSQL 14')
        old = self / 'data-12.preupgrade'
        if kept is not None:
            equal(sorted(p.name for p in (old / 'global').glob('pg_control*')), ['pg_control' if kept else 'pg_control.old'], "pg_control of PostgreSQL 12")
        if kept:
            with Volume(self) as twin:
                shutil.rmtree(twin.data)
                (twin / old.name).rename(twin.data)
                equal(twin.fingerprint('12'), self.facts, 'the content of the PostgreSQL 12 that was kept')

    def tree(self):
        """Everything on the volume that a change would show in."""
        return {str(p): (s.st_ino, s.st_mode, s.st_uid, s.st_size, s.st_mtime_ns) for p in sorted(self.path.rglob('*')) for s in [p.lstat()]}


FINGERPRINT = '''
SELECT current_database(), pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database();
SELECT c.oid::regclass, c.relkind, (xpath('/row/x/text()', query_to_xml(format(CASE relkind WHEN 'S' THEN 'SELECT last_value AS x FROM %2$s'
    ELSE 'SELECT md5(string_agg(ROW(t.*)::text, %1$L ORDER BY ROW(t.*)::text)) || count(*) AS x FROM %2$s t' END, ',', c.oid::regclass), false, true, '')))[1]
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'm', 'S') AND nspname !~ '^(pg_|information_schema)' ORDER BY 1;
SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indexrelid >= 16384 ORDER BY indexrelid::regclass::text;
SELECT loid, md5(string_agg(data, '' ORDER BY pageno)) FROM pg_largeobject GROUP BY 1 ORDER BY 1;
SELECT extname FROM pg_extension ORDER BY 1;
'''


def kill(process, number=signal.SIGKILL):
    """Signals the container's process number 1; a SIGKILL ends everything in it before this returns."""
    for child in Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split():
        os.kill(int(child), number)
    if number == signal.SIGKILL:
        process.wait(timeout=30)


def inside(process):
    """The process numbers of all that runs in the container, parents first."""
    found = [process.pid]
    for pid in found:
        with contextlib.suppress(OSError):
            found += map(int, Path(f'/proc/{pid}/task/{pid}/children').read_text().split())
            yield pid


def running(process, words):
    """The process numbers of what runs in the container with these words in its command line, children first."""
    found = []
    for pid in inside(process):
        with contextlib.suppress(OSError):
            if words in Path(f'/proc/{pid}/cmdline').read_text().replace('\0', ' '):
                found.insert(0, pid)
    return found


@contextlib.contextmanager
def paused(process):
    """Stops everything in the container for a while."""
    found = []
    for pid in inside(process):
        found.append(pid)
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGSTOP)
    yield
    for pid in found:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def new_cluster(initdb='-U postgres -E UTF8 --locale=C.UTF-8 --data-checksums', **environment):
    """A PostgreSQL 12 as Bitnami's image makes it: no postgresql.conf and no pg_hba.conf in its directory."""
    volume = Volume()
    volume.environment = environment
    shell(f'{work}/pg/12/bin/initdb -D "$1" -A md5 --pwfile=<(echo secret) {initdb} && rm "$1"/postgresql.conf "$1"/pg_hba.conf', volume.data)
    return volume


SOME_CONTENT = '''
CREATE ROLE app LOGIN PASSWORD 'app';
CREATE ROLE reader; GRANT reader TO app; ALTER ROLE app SET search_path = public;
CREATE TABLE big (id bigserial PRIMARY KEY, label text UNIQUE, body text, seen timestamptz DEFAULT '2026-01-01', CHECK (id > 0));
ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
INSERT INTO big (label, body) SELECT 'row ' || g, repeat(md5(g::text), g % 100) FROM generate_series(1, 3000) g;
CREATE INDEX ON big USING brin (seen); CREATE INDEX ON big (lower(label));
CREATE TABLE parts (at date, n int) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO parts SELECT '2026-01-01'::date + g % 31, g FROM generate_series(1, 500) g;
CREATE MATERIALIZED VIEW sums AS SELECT at, sum(n) FROM parts GROUP BY at;
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE moods AS SELECT 'bad'::mood AS mood, '{"a": [1, 2]}'::jsonb AS extra;
CREATE EXTENSION hstore; CREATE TABLE pairs AS SELECT 'a=>1'::hstore AS pair;
SELECT FROM lo_from_bytea(4711, decode(repeat('feed', 5000), 'hex'));
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'; CREATE INDEX ON parts_1 (twice(n));
'''


def bitnami_cluster():
    """Such a cluster with some of everything in its databases, and settings which PostgreSQL 14 no longer knows."""
    volume = new_cluster(POSTGRES_ENCODING='UTF8', POSTGRES_LC_COLLATE='C.UTF-8', POSTGRES_LC_CTYPE='C.UTF-8')
    settings = "ALTER SYSTEM SET work_mem = '5MB'; ALTER SYSTEM SET wal_keep_segments = 32; ALTER SYSTEM SET password_encryption = on;"
    volume.serve('12', [('postgres', 'CREATE DATABASE app;'), ('app', SOME_CONTENT), ('postgres', settings.replace('; ', ';\n'))])
    volume.remember()
    return volume
