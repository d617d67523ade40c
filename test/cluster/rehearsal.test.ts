/** @jest-environment ./test/cluster/bench-environment.ts */
// The whole upgrade on a copy, while the server serves and the writer writes; then the upgrade that requires it.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { admissionPolicies } from '../../src/permissions/admission-policy.ts';
import { permissions } from '../../src/permissions/permissions.ts';
import type { ServerNames } from '../../src/target/server-names.ts';
import { runAction, type ActionEnd } from './action.ts';
import {
  AuditLog,
  bench,
  callName,
  kubectl,
  kubectlWith,
  namespace,
  outsideOf,
  psql,
  reset,
  type AuditEvent,
} from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { expectProduction, expectNothingLeft, production, storage, unacknowledged } from './rehearsed.ts';
import { limitedKubeconfig, namesOf } from './user.ts';

jest.setTimeout(15 * 60_000);

const stages = [
  ...['isolation', 'copy', 'recovery', 'measurement', 'upgrade', 'start', 'data'],
  ...['extensions', 'statistics', 'sort-order', 'pages', 'removal'],
].map((stage) => `rehearsal-${stage}`);

const upgradeImage = 'cciserver.azurecr.io/server-postgres-upgrade:12-14';

/** What a write was about: `delete pods/postgres-rehearsal-12`. A creation has its name in the object. */
function writeOf(event: AuditEvent): string {
  const made = event.requestObject as { metadata?: { name?: string } } | undefined;
  return `${callName(event)}/${event.objectRef?.name ?? made?.metadata?.name ?? ''}`;
}

describe('a rehearsal, in a namespace that enforces Pod Security restricted, by a user with no right too many', () => {
  let kubeconfig: string;
  let names: ServerNames;
  let before: { production: ReturnType<typeof production>; storage: string; unacknowledged: string[] };
  let acknowledged: number;
  let unrehearsed: ActionEnd;
  let audit: AuditLog;
  let end: ActionEnd;

  beforeAll(async () => {
    // A Job whose image has no digest proves the backup by itself.
    bench('name-by-digest', upgradeImage);
    reset('--pod-security', 'restricted');
    names = namesOf(namespace);
    kubeconfig = limitedKubeconfig(namespace, 'rehearser', 'upgrade');
    // The optional ones of the documentation.
    kubectlWith(admissionPolicies(namespace, 'rehearser').join('\n'), 'apply', '-f', '-');
    before = { production: production(), storage: storage(), unacknowledged: unacknowledged() };
    acknowledged = expectNoLoss(namespace).acknowledged;
    unrehearsed = await runAction({
      namespace,
      mode: 'upgrade',
      confirm: namespace,
      kubeconfig,
      rehearsal: 'required',
    });
    audit = new AuditLog();
    end = await runAction({ namespace, mode: 'rehearse', kubeconfig });
  });

  afterAll(() => {
    bench('name-by-digest', upgradeImage, '--undo');
  });

  test('is required by an upgrade, where the input says so', () => {
    expect([unrehearsed.exitCode, unrehearsed.report.error?.code]).toEqual([1, 'rehearsal-missing']);
    expect(unrehearsed.report.error?.message).toContain('there was none');
  });

  test('passes with each of its stages', () => {
    expect([end.report.error, end.exitCode]).toEqual([undefined, 0]);
    expect(end.report.rehearsal?.map(({ id, status }) => [id, status])).toEqual(stages.map((id) => [id, 'passed']));
    expect(end.log).toContain('The upgrade passed on a copy of the volume.');
  });

  test('goes on beside the writer: each of its changes was acknowledged, and none is lost', () => {
    expect(unacknowledged()).toEqual(before.unacknowledged);
    expect(expectNoLoss(namespace).acknowledged).toBeGreaterThan(acknowledged);
  });

  test('leaves production as it was', () => {
    expectProduction(before.production);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^12\./);
  });

  test('changes nothing but its own objects', () => {
    const writes = audit.writes(':rehearser');
    const own =
      /^(create|delete) pods\/postgres-(rehearsal-1[24]|upgrade-probe-[a-z-]+-[1-3])$|\/postgresql-rehearsal$/;
    const copy =
      /^(create|delete) (jobs\/postgres-rehearsal-(boot|upgrade)|(volumesnapshots|persistentvolumeclaims)\/data-postgresql-0-rehearsal)$/;
    // What the storage made for its snapshot, whose name nobody chose.
    const content = /^patch volumesnapshotcontents\/snapcontent-/;
    const others = writes.map(writeOf).filter((write) => ![own, copy, content].some((is) => is.test(write)));
    expect(others).toEqual([]);
    expect(writes.length).toBeGreaterThan(10);
  });

  test('asks the API server for nothing outside of the table of permissions', () => {
    expect(outsideOf(permissions, names, audit.events(':rehearser'))).toEqual([]);
  });

  test('leaves nothing but its result', async () => {
    await expectNothingLeft(before.storage);
    expect(kubectl('-n', namespace, 'get', 'configmap', 'postgresql-rehearsal', '-o', 'name').trim()).toBe(
      'configmap/postgresql-rehearsal',
    );
  });

  test('counts for the upgrade that comes next', async () => {
    const upgrading = new AuditLog();
    const upgrade = await runAction({
      namespace,
      mode: 'upgrade',
      confirm: namespace,
      kubeconfig,
      rehearsal: 'required',
    });
    expect([upgrade.exitCode, upgrade.outputs['verdict'], upgrade.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(upgrade.log).toContain('The last rehearsal of this server passed');
    // It proves the backup: only a snapshot of the running server is taken.
    const made = upgrading.writes(':rehearser').map(writeOf);
    expect(made).toContainEqual(expect.stringMatching(/^create volumesnapshots\/data-postgresql-0-live-\d{14}$/));
    expect(made.filter((write) => /^create (jobs\/.*-boot|persistentvolumeclaims\/.*)$/.test(write))).toEqual([]);
    const { by, run = '', at = '' } = upgrade.report.backupProof ?? {};
    expect([by, Date.parse(at)]).toEqual(['rehearsal', expect.any(Number)]);
    expect(upgrade.log).toContain(`The backup is proved by the rehearsal of ${at} (${run})`);
    expect(upgrade.summary).toContain(`was proved by the rehearsal of \`${at}\``);
    expectNoLoss(namespace);
  });
});
