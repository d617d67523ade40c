/** @jest-environment ./test/cluster/bench-environment.ts */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { anchorName } from '../../../src/objects/anchor.ts';
import { isWhole } from '../../choice.ts';
import { runAction, saysInLog, startAction, type ActionEnd, type RunningAction } from '../action.ts';
import { AuditLog, bench, callName, kubectl, namespace, psql } from '../bench.ts';
import { attachedTo, nodeOf, removeSecondNode, resetOnSecondNode, secondNode } from '../second-node.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas, statefulSet } from '../server.ts';

jest.setTimeout(20 * 60_000);

const inputs = { namespace, mode: 'upgrade', confirm: namespace };
const claim = 'data-postgresql-0';
/** pg_upgrade is at work in the Job. */
const atWork = 'pg_upgrade --link';
/** What a person says who knows that a node is switched off. */
const outOfService = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
const jobPod = 'batch.kubernetes.io/job-name=postgres-upgrade-12-to-14';
/** Each of them takes minutes: by default there is only the drain. */
const deaths = isWhole ? ['comes back', 'is out of service'] : [];

let before: ReturnType<typeof replicas>;
let end: ActionEnd;

afterAll(removeSecondNode);

describe('an upgrade whose node is drained while pg_upgrade is at work', () => {
  beforeAll(async () => {
    resetOnSecondNode();
    before = replicas(namespace);
    const action = startAction(inputs);
    await reach(action);
    drain();
    end = await action.end;
  });

  test('ends as reverted and says who took the pod away, and from where', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain(`node ${secondNode}, EvictionByEvictionAPI`);
  });

  test('PostgreSQL 12 serves on the other node, with every change', () => {
    expect(nodeOf('postgresql-0')).not.toBe(secondNode);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
    expectAsBefore();
  });

  test('the next run upgrades', async () => {
    kubectl('uncordon', secondNode);
    await expectUpgraded();
  });
});

for (const what of deaths)
  describe(`an upgrade whose node dies while pg_upgrade is at work, and ${what}`, () => {
    let deletions: string[];
    let again: ActionEnd;
    let attached: string[];

    beforeAll(async () => {
      resetOnSecondNode();
      before = replicas(namespace);
      const action = startAction(inputs);
      await reach(action);
      const audit = new AuditLog();
      bench('node2', 'kill');
      end = await action.end;
      // Somebody who runs it again at once, before anything was done about the node.
      again = what === 'is out of service' ? await runAction(inputs) : end;
      attached = attachedTo(claim);
      deletions = audit
        .writes()
        .filter(({ verb, objectRef }) => verb === 'delete' && objectRef?.namespace === namespace)
        // The anchor has no part in the data.
        .filter(({ objectRef }) => objectRef?.name !== anchorName)
        .map(callName);
      if (what === 'comes back') bench('node2', 'start');
      else kubectl('taint', 'nodes', secondNode, outOfService);
      // Its node or, in its place, the garbage collector confirms it; a run that sees that happen takes it for the Job's failure and brings 12 back.
      kubectl('-n', namespace, 'wait', '--for=delete', 'pod', '-l', jobPod, '--timeout=120s');
    });

    test('ends with the node, what it holds, and what a person has to do', () => {
      expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'interrupted']);
      expect(end.report.error).toMatchObject({ code: 'node-silent' });
      expect(end.report.error?.message).toContain(secondNode);
      expect(end.report.error?.remedy.text).toContain(outOfService);
      expect(end.report.phases.filter(({ id }) => id.startsWith('undo-'))).toEqual([]);
    });

    test('nobody else got the volume, and no pod was deleted, also by a second run', () => {
      expect(again.report.error).toMatchObject({ code: 'node-silent' });
      expect(attached).toEqual([secondNode]);
      expect(deletions).not.toContain('delete pods');
      expect(deletions).not.toContain('delete jobs');
    });

    // Where the power went while pg_upgrade had PostgreSQL 12 running, its recovery empties unlogged tables. The comparison sees that, and PostgreSQL 12 comes back from the backup.
    test('the next run goes on to PostgreSQL 14 with every change, or has PostgreSQL 12 back with all rows, and one more goes to PostgreSQL 14', async () => {
      const next = await runAction(inputs);
      if (next.outputs['verdict'] === 'reverted') {
        expect(next.report.error?.message).toContain('circleci: public.live_output: 1000 rows before, 0 rows after');
        expect(psql(namespace, 'circleci', 'SELECT count(*) FROM live_output')).toBe('1000');
        expectAsBefore();
        await expectUpgraded();
      } else expectDone(next);
      if (what === 'is out of service') expect(nodeOf('postgresql-0')).not.toBe(secondNode);
    });

    test('the node works again', () => {
      if (what === 'is out of service') {
        kubectl('taint', 'nodes', secondNode, `${outOfService}-`);
        bench('node2', 'start');
      }
      expect(kubectl('get', 'node', secondNode, '--no-headers')).toContain(' Ready ');
    });
  });

/** @throws when the run ends before pg_upgrade is at work */
async function reach(action: RunningAction): Promise<void> {
  await saysInLog(action, atWork);
  if (!action.log().includes(atWork)) throw new Error(`it never said "${atWork}":\n${action.log()}`);
}

function drain(): void {
  kubectl('drain', secondNode, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s');
}

async function expectUpgraded(): Promise<void> {
  expectDone(await runAction(inputs));
}

function expectDone(next: ActionEnd): void {
  expect([next.exitCode, next.outputs['verdict'], next.report.error]).toEqual([0, 'upgraded', undefined]);
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  expectAsBefore();
}

function expectAsBefore(): void {
  expectNoLoss(namespace);
  expect(replicas(namespace)).toEqual(before);
  expect(statefulSet(namespace).gates).toBeUndefined();
  expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
}
