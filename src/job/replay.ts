import type { V1Pod } from '@kubernetes/client-node';
import type { DatabaseFacts, ServerFacts } from '../database/server.ts';
import { ClusterError } from '../errors.ts';
import type { Target } from '../target/target.ts';
import { upgrade } from '../versions.ts';
import type { JobSettings } from './manifest.ts';
import { probePodOf } from './probe.ts';

/** What came of dumping and restoring the roles, or one database. */
export interface Replayed {
  /** Undefined for the roles and their settings. */
  readonly database: string | undefined;
  /** Why it was left alone on purpose. */
  readonly skipped: string | undefined;
  /** What the dump said when it failed. */
  readonly dump: readonly string[];
  /** What 14 refused, in its order. */
  readonly failures: readonly RestoreFailure[];
  /** Failures that are not told. */
  readonly more: number;
  /** What the new server's log says of an end that was not its own. */
  readonly server: readonly string[];
  /** Undefined when it did not come to its end. */
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

export interface ReplayFacts {
  readonly image: string;
  /** Why the replay itself could not go on. */
  readonly broken: string | undefined;
  /** The roles first, then the databases; what was never reached has no seconds. */
  readonly places: readonly Replayed[];
}

/** Seconds until the server answers: a network policy, and the network of a pod that has just begun, may need a moment. */
const connectWait = 20;

/** Seconds for a dump to wait for somebody's lock, and for one to last: as long it holds its own (ACCESS SHARE), for which only changes of tables wait. */
const lockWait = 5;
const dumpLimit = 120;

/** A line break would be read as another name. pg_upgrade dies of such a name itself, and another check tells so. */
export function isReplayed({ name, allowsConnections }: DatabaseFacts): boolean {
  return allowsConnections && name !== 'template0' && !/[\n\r]/.test(name);
}

/**
 * The pod that runs replay.sh in the upgrade image, with as much of the machine as the Job will have. It gets the password from the
 * target's own Secret by the kubelet, so that it is in no manifest.
 * @param lifetime milliseconds after which Kubernetes ends it
 * @throws ClusterError when the server's pod has no address
 */
export function replayPod(
  target: Target,
  settings: JobSettings,
  server: ServerFacts,
  superuser: string,
  databases: readonly string[],
  script: string,
  lifetime: number,
): V1Pod {
  const host = target.pod?.status?.podIP;
  if (host === undefined)
    throw new ClusterError(
      'no-address',
      `Pod ${target.podName} has no address.`,
      'Wait until PostgreSQL runs, then run the checks again.',
    );
  const { initdb } = settings;
  const variables: Record<string, string> = {
    TO: String(upgrade.to),
    HOST: host,
    PORT: String(server.port),
    LOGIN: superuser,
    SUPERUSER: initdb.superuser,
    ENCODING: initdb.encoding,
    LC_COLLATE_VALUE: initdb.collate,
    LC_CTYPE_VALUE: initdb.ctype,
    CHECKSUMS: server.dataChecksums ? 'on' : 'off',
    WAL_SEGMENT: String(server.walSegmentSize / 1024 / 1024),
    DATABASES: databases.join('\n'),
    CONNECT_WAIT: String(connectWait),
    LOCK_WAIT: String(lockWait),
    DUMP_LIMIT: String(dumpLimit),
  };
  return probePodOf(target, {
    role: 'replay',
    image: settings.image,
    imagePullSecret: settings.imagePullSecret,
    command: ['bash', '-c', script],
    env: [
      ...Object.entries(variables).map(([name, value]) => ({ name, value })),
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: target.secret.name, key: target.secret.key } } },
    ],
    resources: settings.resources,
    lifetime,
    // An empty 14 has some 60 MB, and of the databases there is one at a time.
    room: '4Gi',
  });
}

/** Reads the log of replay.sh; undefined when it did not come to its end. */
export function parseReplay(image: string, databases: readonly string[], log: string): ReplayFacts | undefined {
  const rows = log.split('\n').map((line) => line.split('\t'));
  if (!rows.some(([fact]) => fact === 'end')) return undefined;
  return {
    image,
    broken: rows.find(([fact]) => fact === 'broken')?.[1],
    places: [undefined, ...databases].map((database, number) =>
      replayedOf(
        database,
        rows.filter(([, of]) => of === String(number)),
      ),
    ),
  };
}

function replayedOf(database: string | undefined, rows: readonly (readonly string[])[]): Replayed {
  const texts = (name: string) => rows.flatMap(([fact, , text]) => (fact === name ? [text ?? ''] : []));
  const [, , dump, restore] = rows.find(([fact]) => fact === 'took') ?? [];
  return {
    database,
    skipped: texts('skipped')[0],
    dump: texts('dump'),
    failures: failuresOf(rows),
    more: Number(texts('more')[0] ?? 0),
    server: texts('server'),
    seconds: dump === undefined ? undefined : { dump: Number(dump) / 1000, restore: Number(restore) / 1000 },
  };
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
