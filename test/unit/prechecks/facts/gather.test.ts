import { describe, expect, test } from '@jest/globals';
import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import { journalName } from '../../../../src/objects/journal-name.ts';
import type { FakeCluster } from '../../fake-cluster.ts';
import { recordOf } from '../../upgrade/context.ts';
import { applicationPod, cluster, configMap, inputs, job, namespace, target } from '../../objects.ts';
import { sealedJournal } from '../../upgrade/sealed.ts';
import { gather, probeLog, probing, volume } from './gathering.ts';

const record = recordOf(await target());
const begun = await sealedJournal(record);
const ended = await sealedJournal(record, { outcome: 'reverted' });

describe('gathering facts', () => {
  test('finds all of them in a namespace that is as it should be', async () => {
    const facts = await gather(probing(cluster()), { 'probe-volume': 'true' });
    expect(JSON.stringify(facts)).not.toContain('"known":false');
    expect(facts.files).toMatchObject({
      value: {
        userId: 1001,
        freeBytes: 1024 ** 3,
        freeInodes: 500_000,
        entries: ['/bitnami/postgresql/data'],
        sameFilesystem: true,
      },
    });
    expect(facts.volumeTrial).toMatchObject({ value: { clone: { works: false }, link: { works: true } } });
    expect(facts.upgradeProbe).toMatchObject({ value: { oldVersion: 'postgres (PostgreSQL) 12.16' } });
    expect(facts.refused).toEqual({ known: true, value: [] });
  });

  test('leaves nothing behind: probes are removed, all else is a dry run', async () => {
    const from = probing(cluster());
    await gather(from);
    expect(await from.list('pods', { namespace })).toHaveLength(1);
    const writes = from.calls.filter((c) => ['create', 'patch', 'delete'].includes(c.method));
    const kept = writes.filter(
      (c) =>
        !(c.options as { dryRun?: boolean } | undefined)?.dryRun &&
        c.resource !== 'selfsubjectaccessreviews' &&
        !c.name.includes('probe'),
    );
    expect(kept).toEqual([]);
  });

  test.each([
    ['gets the labels that a NetworkPolicy admits', undefined, 'application'],
    ['gets none by which a Service would send it requests', { layer: 'application' }, undefined],
  ])('the pod of the restore test %s', async (_what, selector, label) => {
    const from = probing(cluster());
    const ingress = [{ from: [{ podSelector: { matchLabels: { layer: 'application' } } }] }];
    from.put('networkpolicies', { metadata: { name: 'closed', namespace }, spec: { podSelector: {}, ingress } });
    from.put('services', { metadata: { name: 'web', namespace }, spec: selector === undefined ? {} : { selector } });
    const labels = new Set<unknown>();
    from.hooks.push(({ method, resource, name }) => {
      const isSeen = method === 'find' && resource === 'pods' && name.includes('restore-test');
      if (isSeen) labels.add(from.peek('pods', name, namespace)?.metadata?.labels?.['layer']);
    });
    await gather(from);
    expect([...labels]).toEqual([label]);
  });

  test('a right that is missing makes a fact unknown, with its reason, and ends nothing', async () => {
    const facts = await gather(
      probing(cluster()).refuse('list', 'volumesnapshotclasses', 403, 'snapshots are forbidden'),
    );
    expect(facts.snapshotClass).toMatchObject({ known: false, code: 'forbidden' });
    expect(facts.snapshotClass).toMatchObject({
      reason: expect.stringContaining('snapshots are forbidden') as unknown,
    });
    expect(facts.server.known).toBe(true);
  });

  test('what admission refuses is a fact; what could not be asked is unknown', async () => {
    const name = `${jobName}-dry-run`;
    const refused = await gather(probing(cluster()).refuse('create', 'pods', 403, 'violates PodSecurity', name));
    expect(refused.refused).toMatchObject({ known: true });
    expect(JSON.stringify(refused.refused)).toContain('the pod of the Job');
    expect(JSON.stringify(refused.refused)).toContain('violates PodSecurity');
    const unasked = await gather(probing(cluster()).refuse('create', 'pods', 500, 'webhook did not answer', name));
    expect(unasked.refused).toMatchObject({ known: false });
  });

  test.each([
    [400, 'admission webhook "policy.example.com" does not support dry run'],
    [403, 'pods is forbidden: User "checker" cannot create resource "pods" in API group "" in the namespace "x"'],
  ])('an object that was not judged is no refusal: %i %s', async (status, message) => {
    const facts = await gather(probing(cluster()).refuse('create', 'pods', status, message, `${jobName}-dry-run`));
    expect(facts.refused).toMatchObject({ known: false, reason: expect.stringContaining(message) as unknown });
  });

  test.each([
    ['upgradeProbe', inputs().upgradeImage],
    ['servingProbe', inputs().servingImage.reference],
  ] as const)('%s is unknown when its own image can not be pulled, and the pod is removed', async (fact, image) => {
    const from = probing(cluster(), probeLog.join(''), image);
    const facts = await gather(from);
    expect(facts[fact]).toMatchObject({ known: false, code: 'image-unusable' });
    expect([facts.upgradeProbe, facts.servingProbe].filter((probe) => probe.known)).toHaveLength(1);
    expect(await from.list('pods', { namespace })).toHaveLength(1);
  });

  test('a probe whose log was cut is unknown', async () => {
    const facts = await gather(probing(cluster(), probeLog.slice(0, -1).join('')));
    expect(facts.servingProbe).toMatchObject({ known: false, code: 'probe-failed' });
  });

  test('"probes: none" makes no pod', async () => {
    const from = cluster();
    const facts = await gather(from, { probes: 'none' });
    expect(facts.upgradeProbe).toMatchObject({ known: false, code: 'not-asked' });
    expect(from.calls.filter((c) => c.method === 'create' && c.name.includes('probe'))).toEqual([]);
  });

  test.each([
    ['found', {}, 'postgres\ntemplate1'],
    ['found and ignored', { 'ignore-checks': 'restored-code: our own functions' }, 'postgres\ntemplate1\ncircle'],
  ])("the restore test dumps a database where users' code was %s: %j", async (_what, given, dumped) => {
    const from = probing(cluster());
    const row = { object: 'table public.keyed', detail: 'calls public.f(integer) of role mallory', remedy: '' };
    await gather(from, given, volume, [], {
      hazards: (database, hazard) => (database === 'circle' && hazard === 'restored-code' ? [row] : []),
    });
    const pods = from.calls
      .filter(({ method, resource }) => method === 'create' && resource === 'pods')
      .map(({ body }) => (body as V1Pod).spec);
    const containers = pods.flatMap((spec) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]);
    const values = containers.flatMap(({ env = [] }) =>
      env.filter(({ name }) => name === 'DATABASES').map(({ value }) => value),
    );
    expect([...new Set(values)]).toEqual([dumped]);
  });

  test('sessions count that stay, and are not our own', async () => {
    const stays = {
      pid: 1,
      database: 'circle',
      user: 'circle',
      application: 'api',
      address: '10.0.0.7',
      state: 'idle',
    };
    const disguised = { ...stays, pid: 4, application: 'postgresql-upgrade' };
    const ours = { ...disguised, pid: 3, user: 'postgres' };
    const clients = [stays, { ...stays, pid: 2 }, ours, disguised];
    const from = probing(cluster());
    // The second one goes while the rest is read.
    from.hooks.push((call) => {
      if (call.method === 'create' && call.resource === 'jobs' && clients[1]?.pid === 2) clients.splice(1, 1);
    });
    const facts = await gather(from, {}, volume, clients);
    expect(facts.clients).toEqual({ known: true, value: [stays, disguised] });
  });

  test('neighbours are the pods of others: probes are our own', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade' };
    const probe = applicationPod('postgres-upgrade-probe-upgrade-1', labels, {
      spec: { activeDeadlineSeconds: 900, containers: [] },
    });
    // A label makes no pod ours: whoever put it there must not hide one from the checks.
    const from = probing(cluster()).put('pods', applicationPod('guest', labels), probe);
    const facts = await gather(from);
    const found = facts.neighbours.known ? facts.neighbours.value.map(({ kind, name }) => `${kind}/${name}`) : [];
    expect(found).toEqual(['CronJob/nightly', 'CronJob/paused', 'Pod/guest']);
  });

  test('the clusters beside the data directory are read, whatever may be seen of them', async () => {
    const lines = [
      'cluster=1001 yes 12 pg_control no 23 /bitnami/postgresql/data',
      'cluster=999 no - none no 0 /bitnami/postgresql/data-12',
    ];
    const facts = await gather(probing(cluster()), {}, [...lines, ...volume]);
    const data = { path: '/bitnami/postgresql/data', owner: 1001, readable: true, version: '12' };
    const moved = { path: '/bitnami/postgresql/data-12', owner: 999, readable: false, version: '' };
    expect(facts.files).toMatchObject({
      value: {
        clusters: [
          { ...data, control: 'pg_control', hasTables: false, megabytes: 23 },
          { ...moved, control: 'none', hasTables: false, megabytes: 0 },
        ],
      },
    });
  });

  test('a volume that could not be looked at is unknown', async () => {
    const facts = await gather(
      probing(cluster()),
      {},
      volume.filter((line) => line !== 'end=yes'),
    );
    expect(facts.files).toMatchObject({ known: false, code: 'volume-unreadable' });
    expect(facts.files).toMatchObject({ reason: expect.stringContaining('no shell') as unknown });
  });

  test.each(['databases=', 'segment=', 'room-link=', 'room-data='])('uncounted is unknown: %s', async (name) => {
    const lines = volume.map((line) => (line.startsWith(name) ? name : line));
    const facts = await gather(probing(cluster()), {}, lines);
    expect(facts.files).toMatchObject({ known: false, code: 'volume-unreadable' });
  });

  test('nothing is written to the volume without consent', async () => {
    const from = probing(cluster());
    const facts = await gather(from);
    expect(facts.volumeTrial).toMatchObject({ known: false, code: 'not-asked' });
    const scripts = from.calls.filter((c) => c.method === 'exec').map((c) => JSON.stringify(c.body));
    expect(scripts.filter((text) => text.includes('mktemp'))).toEqual([]);
  });

  test.each([
    ['a running Job', (c: FakeCluster) => c.put('jobs', job(jobName, 1)), [`running Job ${jobName}`]],
    ['an ended Job, which is only a log', (c: FakeCluster) => c.put('jobs', job(jobName, 0)), []],
    ["somebody else's Job", (c: FakeCluster) => c.put('jobs', job('backup', 1)), []],
    [
      'an unfinished journal',
      (c: FakeCluster) => c.put('configmaps', begun),
      [`unfinished journal ConfigMap ${journalName}`],
    ],
    ['a journal of an ended run', (c: FakeCluster) => c.put('configmaps', ended), []],
  ])('%s', async (_what, prepare, expected) => {
    const facts = await gather(probing(prepare(cluster())));
    expect(facts.leftoverObjects).toEqual({ known: true, value: expected });
  });

  describe('what earlier upgrades left in the storage', () => {
    const claimName = 'data-postgresql-0';
    const names = ['before-upgrade', 'of-14', 'live'].map((kind) => `${claimName}-${kind}-20250102030405`);
    const claims = ['20250102030406', '20250102030407'].map((time) => `${claimName}-before-upgrade-${time}`);
    const all = [...names, ...claims];
    const restored = {
      claim: { metadata: { name: claimName, namespace, labels: {}, annotations: {} }, spec: { volumeName: 'pv-1' } },
      ...{ volume: 'pv-1', former: 'pv-0' },
    };
    const withLeft = (journal: V1ConfigMap, volumeOf = claimName) => {
      const from = cluster().put('configmaps', journal);
      for (const name of [...names, `${claimName}-before-upgrade-by-hand`, 'of-others'])
        from.put('volumesnapshots', {
          apiVersion: 'snapshot.storage.k8s.io/v1',
          kind: 'VolumeSnapshot',
          metadata: { name, namespace },
          spec: { source: { persistentVolumeClaimName: claimName } },
        });
      const [clone = '', copy = ''] = claims;
      const sources = {
        [clone]: { kind: 'PersistentVolumeClaim', name: claimName },
        [copy]: undefined,
        [`${claimName}-before-upgrade-20250102030408`]: { kind: 'PersistentVolumeClaim', name: 'of-others' },
        [`${claimName}-before-upgrade-by-hand`]: undefined,
        [`${claimName}-copy`]: undefined,
      };
      for (const [name, dataSource] of Object.entries(sources))
        from.put('persistentvolumeclaims', {
          metadata: { name, namespace },
          spec: { ...(dataSource && { dataSource }) },
        });
      const claimRef = { name: volumeOf, namespace };
      return from.put('persistentvolumes', {
        metadata: { name: 'pv-0' },
        spec: { claimRef },
        status: { phase: 'Released' },
      });
    };
    const rolledBack = () => sealedJournal(record, { exchange: restored, outcome: 'reverted' });
    const left = async (from: FakeCluster) => {
      const { keptData } = await gather(probing(from), { probes: 'none' });
      return keptData.known ? keptData.value.map(({ name }) => name) : keptData.code;
    };

    test('is the snapshots, clones and copies that this action made, and the volume before a restore', async () => {
      expect(await left(withLeft(await rolledBack()))).toEqual([...all, 'pv-0']);
      expect(await left(withLeft(ended))).toEqual(all);
      expect(await left(withLeft(await rolledBack(), 'of-others'))).toEqual(all);
    });

    test('is not named while an upgrade is open: it may be the only way back', async () => {
      expect(await left(withLeft(begun))).toEqual([]);
    });

    test('is left out as far as it can not be read, and nothing fails', async () => {
      const refused = withLeft(await rolledBack());
      expect(await left(refused.refuse('list', 'volumesnapshots', 403, 'forbidden'))).toEqual([...claims, 'pv-0']);
      expect(await left(refused.refuse('list', 'persistentvolumeclaims', 403, 'forbidden'))).toEqual(['pv-0']);
      expect(await left(refused.refuse('find', 'persistentvolumes', 403, 'forbidden', 'pv-0'))).toEqual([]);
      const without = withLeft(ended);
      without.missing.add('volumesnapshots');
      expect(await left(without)).toEqual(claims);
    });
  });

  test('a journal that can not be read leaves open whether an upgrade is under way', async () => {
    const facts = await gather(probing(cluster().put('configmaps', configMap(journalName, { record: '{}' }))));
    expect(facts.leftoverObjects).toMatchObject({ known: false, code: 'journal-not-authentic' });
  });
});
