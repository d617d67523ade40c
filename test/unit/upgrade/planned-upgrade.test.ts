import { describe, expect, test } from '@jest/globals';
import { objectDiff } from '../../../src/report/object-diff.ts';
import { moveLines } from '../../../src/report/plan-lines.ts';
import { planReport } from '../../../src/report/plan-report.ts';
import { fencingTokenLabel } from '../../../src/objects/fencing-token.ts';
import { rehearsalLeaseName } from '../../../src/objects/rehearsal.ts';
import { fieldManager } from '../../../src/common/field-manager.ts';
import { withUpgradeLease } from '../../../src/lock/upgrade-lease.ts';
import { timeToCome, type Move, type PlannedStep } from '../../../src/report/planned-step.ts';
import { expectCompleted } from '../../../src/upgrade/contract/ending.ts';
import { runUpgrade } from '../../../src/upgrade/upgrade.ts';
import { applyPatch } from '../json-patch.ts';
import { namespace, newImage, oldImage, scaledObject } from '../objects.ts';
import { facts } from '../prechecks/facts.ts';
import { live } from './live.ts';
import { planned, rehearsed, type Live, type Rehearsed } from './planned.ts';
import { seal } from './sealed.ts';

type Created = Extract<Move, { does: 'create' }>;

const clone = { backup: 'clone' };
const copy = { backup: 'copy' };
const external = { backup: 'external', 'confirm-external-backup': namespace };
const quick = { 'verify-backup': 'false' };

/** Runs it with the Lease, as `mode: upgrade` does. */
async function upgraded(world: Live, more: Rehearsed = {}): Promise<void> {
  const { context } = world;
  const { name: statefulSet, applications, volume } = context.target;
  const claim = { namespace, statefulSet, applications, volume: volume.persistentVolume?.metadata?.name ?? '' };
  await withUpgradeLease({ ...context, connection: world.cluster }, claim, 'run-1', async (cluster) => {
    const ending = await runUpgrade({
      ...{ ...context, cluster, database: context.database.over(cluster), runId: 'run-1', seal },
      facts: { ...(await facts({ inputs: context.inputs, target: context.target })), ...more },
    });
    expectCompleted(ending);
  });
}

/** What the dry run can't predict of a journal. */
const unsealed = (text: string) => text.replace(/"(counter|salt|seal)":"\w+"/g, '"$1":""');
const named = (text: string) => text.replace(/\d{14}/g, timeToCome);
const nameOf = (object: object) => (object as { metadata: { name: string } }).metadata.name;
const created = (steps: readonly PlannedStep[]) =>
  steps.flatMap(({ moves }) => moves.filter((move): move is Created => move.does === 'create'));

describe('what a dry run tells', () => {
  test.each<[string, Record<string, string>, Rehearsed]>([
    ['with a snapshot', {}, {}],
    ['with a snapshot that a rehearsal has proved', {}, rehearsed],
    ['with a clone that a rehearsal has proved', clone, rehearsed],
    ['with a snapshot that is not tried', quick, {}],
    ['with a clone', clone, {}],
    ['with a copy', copy, {}],
    ['with a copy that is not tried', { ...copy, ...quick }, {}],
    ['with a backup elsewhere', external, {}],
  ])('is all that the upgrade makes and changes, %s', async (_how, given, more) => {
    const world = await live(undefined, given);
    const { cluster } = world;
    const steps = await planned(world, given, more);
    expect(cluster.writes).toEqual([]);
    await upgraded(world, more);

    const wrote = new Set(cluster.writes.map(named));
    const told = created(steps).map(({ resource, object }) => `create ${resource}/${nameOf(object)}`);
    expect([...wrote].filter((write) => write.startsWith('create ')).sort()).toEqual([...new Set(told)].sort());

    const changed = steps.flatMap(({ moves }) =>
      moves.flatMap((move) => (move.does === 'change' ? [`patch ${move.resource}/${move.name}`] : [])),
    );
    const content = `patch volumesnapshotcontents/content-of-data-postgresql-0-before-upgrade-${timeToCome}`;
    const expected = changed.map((one) => (one.startsWith('patch volumesnapshotcontents/') ? content : one));
    // What a run writes about itself: the Lease's heartbeat, the journal's notes; and what makes the copy go with its claim.
    const own =
      /^patch (leases|configmaps)\/postgresql-upgrade-12-to-14|^patch (persistentvolumes\/pv-of-.*-copy|volumesnapshotcontents\/content-of-.*-live-.*)$/;
    const patched = [...wrote].filter((write) => write.startsWith('patch ') && !own.test(write));
    const ofCopy = `patch persistentvolumes/(the volume of data-postgresql-0-before-upgrade-${timeToCome})`;
    const found = patched.map((one) => (one.startsWith('patch persistentvolumes/volume-of-') ? ofCopy : one));
    expect(found.sort()).toEqual([...new Set(expected)].sort());
  });

  test.each([{}, copy])('says of each object whether it stays, with %j', async (given) => {
    const world = await live(undefined, given);
    const steps = await planned(world, given);
    await upgraded(world);
    for (const { resource, object, until } of created(steps)) {
      const name = nameOf(object);
      const there = world.cluster.all(resource).some((one) => named(nameOf(one)) === name);
      expect([resource, name, there]).toEqual([resource, name, until === undefined]);
    }
  });

  test('has the manifests that are sent', async () => {
    const world = await live();
    const steps = await planned(world);
    await upgraded(world);
    const sent = new Map(
      world.cluster.calls
        .filter(({ method }) => method === 'create')
        .map(({ resource, name, body }) => [`${resource}/${named(name)}`, body as object]),
    );
    for (const { resource, object } of created(steps)) {
      if (resource === 'leases') continue;
      const body = named(JSON.stringify(withoutEpoch(sent.get(`${resource}/${nameOf(object)}`))));
      // The time at which the upgrade began is in its journal and in the Job's name for it.
      expect(unsealed(timeless(JSON.stringify(withoutEpoch(object))))).toBe(unsealed(timeless(body)));
    }
  });

  test('has the changes as they come to be: from PostgreSQL 12 to PostgreSQL 14, down and up again', async () => {
    const world = await live();
    world.cluster.put('scaledobjects', scaledObject('frontend-scaler', 'frontend'));
    const steps = await planned(world);
    const server = steps.flatMap(({ moves }) =>
      moves.flatMap((move) => (move.does === 'change' && move.resource === 'statefulsets' ? [move] : [])),
    );
    const [stopped, started] = server.map(({ object, operations }) => applyPatch(object, operations)) as {
      spec: { replicas: number; template: { spec: { schedulingGates?: unknown[]; containers: { image: string }[] } } };
    }[];
    expect(stopped?.spec.replicas).toBe(0);
    expect(stopped?.spec.template.spec.schedulingGates).toHaveLength(1);
    expect(started?.spec.replicas).toBe(1);
    expect(started?.spec.template.spec.schedulingGates).toEqual([]);
    expect(started?.spec.template.spec.containers[0]?.image).toBe(newImage);
  });

  test('has the end of a rehearsal in the step that begins', async () => {
    const [begin] = await planned(await live());
    expect(JSON.stringify(begin?.moves)).toContain(
      `End a rehearsal of this server that is at work, by its Lease ${rehearsalLeaseName}`,
    );
  });

  test('has both gates in the step that begins the downtime, and what each hook does if it fails', async () => {
    const given = {
      ...{ 'start-before': '2026-12-01T22:30Z', 'max-downtime': '20m' },
      ...{ 'before-applications-sql': 'SELECT 1', 'before-applications': 'x', 'after-applications': 'x' },
    };
    const steps = await planned(await live(), given);
    const textOf = (id: string) => JSON.stringify(steps.find((step) => step.id === id)?.moves);
    expect(textOf('stop-applications')).toContain('Refuse to begin the downtime at 2026-12-01T22:30:00.000Z or later');
    expect(textOf('stop-applications')).toContain('Refuse to begin the downtime if its prediction exceeds 1200 s');
    expect(textOf('before-applications').match(/If it fails, revert to PostgreSQL 12\./g)).toHaveLength(2);
    expect(textOf('after-applications')).toContain('PostgreSQL 14 goes on serving');
    const scripts = JSON.stringify(steps);
    expect(scripts).not.toContain('SELECT 1');
  });

  test('names labels and field managers, which it takes off at the end', async () => {
    const steps = await planned(await live());
    const text = planReport(steps)
      .steps.flatMap(({ moves }) => moves.flatMap(moveLines))
      .join('\n');
    expect(text).toContain(fencingTokenLabel);
    expect(text).toContain(fieldManager);
  });
});

test('a change is shown with the fields that it touches, and with nothing else of the object', () => {
  const secret = { name: 'PASSWORD', value: 'hunter2' };
  const container = { name: 'postgresql', image: oldImage, env: [secret] };
  const object = {
    metadata: { name: 'postgresql' },
    spec: { replicas: 1, template: { spec: { containers: [container] } } },
  };
  const diff = objectDiff('statefulsets/postgresql', object, [
    { op: 'test', path: '/metadata/uid', value: 'x' },
    { op: 'replace', path: '/spec/template/spec/containers/0/image', value: newImage },
    { op: 'add', path: '/spec/replicas', value: 0 },
  ]);
  expect(diff.split('\n')).toEqual([
    '--- statefulsets/postgresql',
    '+++ statefulsets/postgresql',
    ' spec:',
    '   template:',
    '     spec:',
    '       containers:',
    '         - name: postgresql',
    `-          image: ${oldImage}`,
    '-  replicas: 1',
    `+          image: ${newImage}`,
    '+  replicas: 0',
  ]);
});

function withoutEpoch(object: object | undefined): object {
  const copy = structuredClone(object ?? {}) as { metadata?: { labels?: Record<string, string> } };
  if (copy.metadata?.labels !== undefined) Reflect.deleteProperty(copy.metadata.labels, fencingTokenLabel);
  return copy;
}

function timeless(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
}
