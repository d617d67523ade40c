import type { RestoreTestScripts } from '../ports/scripts.ts';
import type { V1EnvVar, V1Pod } from '@kubernetes/client-node';
import type { DatabaseFacts, ServerFacts } from '../database/server.ts';
import { dumpOptions, upgradeOptions } from '../database/session-options.ts';
import { ClusterError } from '../common/errors.ts';
import type { Target } from '../target/target.ts';
import { upgrade } from '../common/versions.ts';
import type { JobSettings } from '../objects/upgrade-job.ts';
import { ownerLabel } from '../objects/pod.ts';
import { probeLabel, probePodOf } from './probe.ts';

/** What came of dumping and restoring the roles, or one database. */
export interface RestoreResult {
  /** Undefined for the roles and their settings. */
  readonly database: string | undefined;
  /** Why the test left it out on purpose. */
  readonly skipped: string | undefined;
  /** What the dump said when it failed. */
  readonly dump: readonly string[];
  /** What PostgreSQL 14 refused, in the order of the restore. */
  readonly failures: readonly RestoreFailure[];
  /** How many failures were left out. */
  readonly more: number;
  /** What the new server's log says about a crash, or about a lack of memory or space. */
  readonly server: readonly string[];
  /** Undefined when it did not finish. */
  readonly seconds: { readonly dump: number; readonly restore: number } | undefined;
}

export interface RestoreFailure {
  /** As pg_restore names it: `VIEW factorials`. Undefined for the statements of roles, and where a connection failed. */
  readonly object: string | undefined;
  readonly message: string;
  readonly details: readonly string[];
  /** The SQL without its literals, which may be secrets; cut. */
  readonly statement: string;
}

export interface RestoreTestFacts {
  readonly image: string;
  /** What psql said where no connection was made: the network, and not the server, refused it, or nothing answered. */
  readonly unreachable: string | undefined;
  /** Why the restore test itself stopped. */
  readonly broken: string | undefined;
  /** Why the restore's container could not close its network. */
  readonly network: string | undefined;
  /** Of the node that it ran on, whatever the limit of its pod. */
  readonly cpus: number | undefined;
  /** The roles first, then the databases; one that the test never reached has no seconds. */
  readonly places: readonly RestoreResult[];
}

/** Seconds until the server answers: a NetworkPolicy, and the network of a new pod, may need a moment. */
const connectWait = 20;

/** Seconds that a dump may wait for a lock, and that it may take. Meanwhile it holds locks of its own (ACCESS SHARE), for which only changes of tables wait. */
const lockWait = 5;
const dumpLimit = 120;

/** The script reads a line break as another name. pg_upgrade fails on such a name too, and the check database-names finds it. */
export function isRestoreTested({ name, allowsConnections }: DatabaseFacts): boolean {
  return allowsConnections && name !== 'template0' && !/[\n\r]/.test(name);
}

/** Labels of its pod. */
export const restoreTestLabels = { ...ownerLabel, ...probeLabel, 'postgresql-upgrade/probe': 'restore-test' } as const;

/** Where the dumps are, between the containers. */
const dumps = '/dumps';

/** The container that has the password, and ends before the schemas are restored. */
const dumpContainer = 'dump';

/**
 * The pod that runs restore-test.sh in the upgrade image, with as much of the machine as the Job will have. One container dumps and ends. It gets
 * the password from the target's own Secret by the kubelet, so that it is in no manifest. The other one restores, which runs
 * code of the databases' users: it has no password, no token and no volume but the dumps, and closes its own network.
 * @param labels that let it through the NetworkPolicies
 * @param lifetime milliseconds after which Kubernetes ends it
 * @throws ClusterError when the server's pod has no address
 */
export function restoreTestPod(
  target: Target,
  settings: JobSettings,
  server: ServerFacts,
  superuser: string,
  databases: readonly string[],
  scripts: RestoreTestScripts,
  labels: Readonly<Record<string, string>>,
  lifetime: number,
): V1Pod {
  const host = target.pod?.status?.podIP;
  if (host === undefined)
    throw new ClusterError(
      'no-address',
      `Pod ${target.podName} has no address.`,
      'Wait until PostgreSQL runs, then run the checks again.',
    );
  const { initdb, image, resources } = settings;
  const both = {
    TO: String(upgrade.to),
    DUMPS: dumps,
    SUPERUSER: initdb.superuser,
    DATABASES: databases.join('\n'),
  };
  const ofDump = {
    HOST: host,
    PORT: String(server.port),
    LOGIN: superuser,
    CONNECT_WAIT: String(connectWait),
    LOCK_WAIT: String(lockWait),
    DUMP_LIMIT: String(dumpLimit),
    SESSION_OPTIONS: dumpOptions(dumpLimit, lockWait, server.versionNumber),
  };
  const ofRestore = {
    ENCODING: initdb.encoding,
    LC_COLLATE_VALUE: initdb.collate,
    LC_CTYPE_VALUE: initdb.ctype,
    CHECKSUMS: server.dataChecksums ? 'on' : 'off',
    WAL_SEGMENT: String(server.walSegmentSize / 1024 / 1024),
    CONFINE: scripts.confine,
    LITERALS: scripts.literals,
    SESSION_OPTIONS: upgradeOptions,
  };
  const command = (name: 'dump' | 'restore') => ['bash', '-c', scripts.script, 'restore-test.sh', name];
  const password = { secretKeyRef: { name: target.secret.name, key: target.secret.key } };
  return probePodOf(target, {
    role: 'restore-test',
    labels,
    image,
    imagePullSecret: settings.imagePullSecret,
    before: {
      name: dumpContainer,
      image,
      command: command('dump'),
      env: [...variables({ ...both, ...ofDump }), { name: 'PASSWORD', valueFrom: password }],
      resources,
      volumeMounts: [{ name: 'dumps', mountPath: dumps }],
    },
    command: command('restore'),
    env: variables({ ...both, ...ofRestore }),
    resources,
    volumeMounts: [{ name: 'dumps', mountPath: dumps, readOnly: true }],
    // Of all databases at once; definitions only, and compressed.
    volumes: [{ name: 'dumps', emptyDir: { sizeLimit: '2Gi' } }],
    lifetime,
    // An empty PostgreSQL 14 has some 60 MB, and there is one database at a time.
    room: '4Gi',
  });
}

function variables(values: Readonly<Record<string, string>>): V1EnvVar[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** Reads the log of restore-test.sh; undefined when the script did not finish. */
export function parseRestoreTest(
  image: string,
  databases: readonly string[],
  log: string,
): RestoreTestFacts | undefined {
  const rows = log.split('\n').map((line) => line.split('\t'));
  if (!rows.some(([fact]) => fact === 'end')) return undefined;
  const text = (name: string) => rows.find(([fact]) => fact === name)?.[1];
  return {
    image,
    unreachable: text('unreachable'),
    broken: text('broken'),
    network: text('network'),
    cpus: count(text('cpus')),
    places: [undefined, ...databases].map((database, number) =>
      resultOf(
        database,
        rows.filter(([, of]) => of === String(number)),
      ),
    ),
  };
}

function resultOf(database: string | undefined, rows: readonly (readonly string[])[]): RestoreResult {
  const texts = (name: string) => rows.flatMap(([fact, , text]) => (fact === name ? [text ?? ''] : []));
  const [dump, restore] =
    rows
      .find(([fact]) => fact === 'took')
      ?.slice(2)
      .map(count) ?? [];
  return {
    database,
    skipped: texts('skipped')[0],
    dump: texts('dump'),
    failures: failuresOf(rows),
    more: count(texts('more')[0]) ?? 0,
    server: texts('server'),
    seconds: dump === undefined || restore === undefined ? undefined : { dump: dump / 1000, restore: restore / 1000 },
  };
}

/** Code that runs in the restore may write into the log too. */
function count(text = ''): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function failuresOf(rows: readonly (readonly string[])[]): RestoreFailure[] {
  const failures: { object: string | undefined; message: string; details: string[]; statement: string }[] = [];
  let object: string | undefined;
  for (const [fact, , text = ''] of rows) {
    if (fact === 'entry') object = objectOf(text);
    const last = failures.at(-1);
    if (fact === 'error') {
      failures.push({
        object,
        message: text.replace(/^error: (could not execute query: )?/, ''),
        details: [],
        statement: '',
      });
      object = undefined;
    } else if (fact === 'detail') last?.details.push(text);
    else if (fact === 'statement' && last !== undefined) last.statement = `${last.statement} ${text.trim()}`.trim();
  }
  return failures.map((failure) => ({ ...failure, statement: failure.statement.slice(0, longestStatement) }));
}

const longestStatement = 300;

/** `TOC entry 203; 1259 16395 VIEW factorials postgres`: the last word is the owner. */
function objectOf(entry: string): string {
  return /^TOC entry \d+; \d+ \d+ (.*) \S*$/.exec(entry)?.[1] ?? entry;
}
