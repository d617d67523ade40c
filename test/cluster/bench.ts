// The bench, for tests: a real cluster with a real server on PostgreSQL 12.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Permission } from '../../src/permissions/permissions.ts';
import type { ServerNames } from '../../src/target/server-names.ts';
import { isGranted } from '../granted.ts';

export const root = path.resolve(import.meta.dirname, '../..');

/** Where the tests have their server; another one lets them run beside each other. */
export const namespace = process.env['TEST_NAMESPACE'] ?? 'circleci-server';

/** Milliseconds that any command may take before it is ended and its test fails. */
const limit = 5 * 60_000;

type Environment = Readonly<Record<string, string>>;

export const environment: Environment = JSON.parse(
  execFileSync(path.join(root, 'bench/env'), ['--json'], { encoding: 'utf8' }),
) as Environment;

/** Runs a command of the bench; its progress goes nowhere, its error into the exception. */
export function bench(command: string, ...args: string[]): string {
  const result = spawnSync(path.join(root, 'bench', command), args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    timeout: limit,
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`bench/${command} ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

/** A new server with little data and one pod of each kind of application: what starts and stops often should be small. */
export function reset(...options: string[]): void {
  const few =
    'applications.frontend.replicas=1,applications.workflows-conductor.replicas=0,applications.vm-scaler.replicas=1';
  bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40', '--set', few, ...options);
}

export function kubectl(...args: string[]): string {
  return execFileSync('kubectl', args, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 ** 2,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
  });
}

/** kubectl with text on its standard input; objects are applied with `apply`. */
export function kubectlWith(input: string, ...args: string[]): string {
  return execFileSync('kubectl', args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: 'pipe',
    timeout: limit,
  });
}

export function apply(...objects: readonly object[]): void {
  kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'apply', '-f', '-');
}

/** `helm upgrade` of the server with its values and these changes, as its administrators do it. */
export function helmUpgrade(...changes: string[]): void {
  const command = [
    'upgrade',
    'circleci-server',
    path.join(root, 'bench/chart'),
    '-n',
    namespace,
    '--reuse-values',
    '--wait',
  ];
  execFileSync('helm', [...command, ...changes], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: limit,
  });
}

/**
 * Asks the API server whether it would take the release with other images and counts from helm, which does not force conflicts. Nothing is changed.
 * @throws Error with its refusal, which names whoever else owns a field
 */
export function helmWouldChange(namespace: string): void {
  const options = { encoding: 'utf8', env: { ...process.env, ...environment }, timeout: limit } as const;
  const manifest = execFileSync('helm', ['get', 'manifest', 'circleci-server', '-n', namespace], options);
  const changed = manifest
    .replace(/(server-postgres:)\S+?("?\n)/, '$1another$2')
    .replace(/^( *replicas:) \d+/gm, '$1 7');
  if (changed === manifest) throw new Error(`nothing to change was found in:\n${manifest}`);
  const applied = ['-n', namespace, 'apply', '--server-side', '--field-manager=helm', '--dry-run=server', '-f', '-'];
  kubectlWith(changed, ...applied);
}

/** The caller says of what shape the answer is. */
export function kubectlJson(...args: string[]): unknown {
  return JSON.parse(kubectl(...args, '-o', 'json'));
}

/** What psql answers in the server's pod, as the superuser. */
export function psql(namespace: string, database: string, sql: string): string {
  const script = 'PGPASSWORD="$POSTGRES_PASSWORD" exec psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d "$1" -c "$2"';
  return kubectl('-n', namespace, 'exec', 'postgresql-0', '--', 'sh', '-c', script, 'sh', database, sql).trim();
}

/** One line of the API server's audit log. */
export interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
  };
  readonly requestObject?: unknown;
  readonly responseStatus?: { readonly code?: number };
}

/** What the API server is asked between two moments, by the user of the action. */
export class AuditLog {
  private readonly file = environment['BENCH_AUDIT_LOG'] ?? '';
  private readonly start = statSync(this.file).size;

  events(username = 'admin'): AuditEvent[] {
    const text = readFileSync(this.file).subarray(this.start).toString('utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.stage === 'ResponseComplete' && event.user.username.endsWith(username));
  }

  /** Whatever is neither a read, nor a question about permissions, nor a dry run. */
  writes(username?: string): AuditEvent[] {
    return this.events(username).filter(
      (event) =>
        !['get', 'list', 'watch'].includes(event.verb) &&
        !['selfsubjectaccessreviews', 'selfsubjectreviews'].includes(event.objectRef?.resource ?? '') &&
        event.objectRef?.subresource !== 'exec' &&
        !event.requestURI.includes('dryRun=All'),
    );
  }
}

/**
 * Calls that no row of the table of permissions grants to the object that they name, and those that were refused. Everybody who is signed in
 * may ask what the API server serves, who one is and what one may do.
 */
export function outsideOf(
  permissions: readonly Permission[],
  names: ServerNames,
  events: readonly AuditEvent[],
): string[] {
  const isReview = ({ objectRef }: AuditEvent) =>
    ['selfsubjectaccessreviews', 'selfsubjectreviews'].includes(objectRef?.resource ?? '');
  const isDiscovery = ({ verb, objectRef, requestURI }: AuditEvent) =>
    verb === 'get' && objectRef?.resource === undefined && /^\/(version|apis?\/)/.test(requestURI);
  const isOfTable = ({ verb, objectRef }: AuditEvent) =>
    isGranted({ ...objectRef, verb, resource: objectRef?.resource ?? '' }, names, permissions);
  return events
    .filter(
      (event) => event.responseStatus?.code === 403 || !(isReview(event) || isDiscovery(event) || isOfTable(event)),
    )
    .map((event) => `${callName(event)} ${event.requestURI}: ${String(event.responseStatus?.code)}`);
}

/** `create pods/exec` */
export function callName({ verb, objectRef }: AuditEvent): string {
  const subresource = objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`;
  return `${verb} ${objectRef?.resource ?? '(none)'}${subresource}`;
}
