// A namespace, and what the prechecks read there.
import { gatherFacts } from '../../../../src/prechecks/facts/gather.ts';
import { FakeClock } from '../../fake-clock.ts';
import type { FakeCluster } from '../../fake-cluster.ts';
import { fakeDatabase, serverState, type ServerState } from '../../fake-database.ts';
import { FakeLog } from '../../fake-runner.ts';
import { inputs, namespace, target } from '../../objects.ts';
import { seal } from '../../upgrade/sealed.ts';

export const volume = [
  'userId=1001',
  'dataOwner=1001',
  'dataMode=700',
  'dataVersion=12',
  'sameFilesystem=yes',
  'filesystem=ext2/ext3',
  'freeKilobytes=1048576',
  'totalKilobytes=8388608',
  'databases=4',
  'segment=16777216',
  'room-link=191592 2900',
  'room-clone=216563 6900',
  'room-copy=1292596 7100',
  'room-data=1048576 4000',
  'inodes=524288 500000',
  'entry=/bitnami/postgresql/data',
  'entry=/bitnami/postgresql/data',
  'end=yes',
  // of the trial of the volume, where that is asked for
  'clone=no Operation not supported',
  'link=yes',
  'removed=yes',
];
export const probeLog = [
  'old-version\tpostgres (PostgreSQL) 12.16',
  'pg_upgrade\tpg_upgrade (PostgreSQL) 14.22',
  'new-version\tpostgres (PostgreSQL) 14.22',
  'end',
].map((line) => `2026-01-02T03:04:05.000000001Z ${line}\n`);

/** A namespace whose probes end at once, but those of an image that can not be pulled. */
export function probing(from: FakeCluster, log: string = probeLog.join(''), unusable?: string): FakeCluster {
  const status = { name: 'probe', image: '', imageID: '', ready: false, restartCount: 0 };
  from.onLog = () => log;
  from.hooks.push((call) => {
    const pod =
      call.method === 'find' && call.resource === 'pods' ? from.peek('pods', call.name, namespace) : undefined;
    if (pod?.metadata?.name?.startsWith('postgres-upgrade-probe') !== true) return;
    // The trial of the server goes on until it is removed, under the name of the server's container.
    const isTrial = pod.metadata.name.includes('-start-');
    const { name = '', image } = pod.spec?.containers[0] ?? {};
    const ended = isTrial ? { running: {} } : { terminated: { exitCode: 0 } };
    const state = image === unusable ? { waiting: { reason: 'ErrImagePull', message: 'not found' } } : ended;
    from.put('pods', { ...pod, status: { containerStatuses: [{ ...status, name, state }] } });
  });
  return from;
}

export async function gather(
  from: FakeCluster,
  given: Record<string, string> = {},
  files = volume,
  clients: ServerState['clients'] = [],
  more: Partial<ServerState> = {},
) {
  const state = serverState({
    ...more,
    clients,
    command: () => ({ exitCode: 0, stdout: `${files.join('\n')}\n`, stderr: 'no shell' }),
  });
  const found = await target();
  const database = fakeDatabase(from, found, state);
  const log = new FakeLog();
  const signal = new AbortController().signal;
  const { facts } = await gatherFacts({
    cluster: from,
    clock: new FakeClock(),
    log,
    signal,
    inputs: inputs(given),
    target: found,
    database,
    seal,
    unmaskedSecrets: [],
    scripts: {
      job: { 'upgrade.sh': 'upgrade' },
      room: 'program',
      probe: 'script',
      restoreTest: { script: 'script', confine: 'filter', literals: 'rule' },
    },
    probePullRequest: undefined,
  });
  return facts;
}
