import { describe, expect, test } from '@jest/globals';
import { parseImage } from '../../../src/common/image.ts';
import { Redactor } from '../../../src/redaction/redactor.ts';
import { nextSteps, type Ended } from '../../../src/report/next-steps.ts';
import type { Verdict } from '../../../src/report/report-shape.ts';
import { remedyText } from '../../../src/text/remedy.ts';
import { vocabulary } from '../../../src/vocabulary.ts';
import { target } from '../objects.ts';
import { notCopyable } from '../prechecks/copyable.ts';

const server = await target();
const statefulSet = {
  ...server.statefulSet,
  metadata: { ...server.statefulSet.metadata, annotations: { 'meta.helm.sh/release-name': 'circleci-server' } },
};
const ended: Ended = {
  verdict: 'upgraded',
  target: { ...server, statefulSet },
  backup: { kind: 'snapshot', name: 'data-postgresql-0-before-upgrade-20260102030405' },
  served: undefined,
  restored: undefined,
  image: parseImage('cciserver.azurecr.io/server-postgres:14.22.4094-4922444'),
  charts: ['postgresql-12.1.2', 'circleci-server-4.9.3'],
  earlier: [],
  valuesFile: 'production/values.yaml',
};
const commandsOf = (more: Partial<Ended> = {}) =>
  nextSteps({ ...ended, ...more }).map(({ commands = [] }) => commands.flatMap(({ lines }) => lines));

const removal = [
  "content=$(kubectl -n circleci-server get volumesnapshot data-postgresql-0-before-upgrade-20260102030405 -o jsonpath='{.status.boundVolumeSnapshotContentName}')",
  `kubectl patch volumesnapshotcontent "$content" --type merge -p '{"spec":{"deletionPolicy":"Delete"}}'`,
  'kubectl -n circleci-server delete volumesnapshot data-postgresql-0-before-upgrade-20260102030405',
];

describe('what is left to do', () => {
  test('after an upgrade: look, deploy, and remove what is no longer needed, with real names', () => {
    expect(commandsOf()).toEqual([
      [],
      [
        'helm upgrade circleci-server oci://cciserver.azurecr.io/circleci-server -n circleci-server --version 4.9.3 -f production/values.yaml --username "$USERNAME" --password "$PASSWORD"',
      ],
      [
        'kubectl -n circleci-server exec postgresql-0 -c postgresql -- bash /bitnami/postgresql/upgrade-logs/delete_old_cluster.sh',
      ],
      removal,
    ]);
    expect(nextSteps(ended)[0]?.text).toContain('Trigger a workflow');
    for (const step of nextSteps(ended)) expect(notCopyable(step)).toEqual([]);
  });

  test('stays as it is where secrets are taken out of the log', () => {
    const redactor = new Redactor(vocabulary);
    for (const step of nextSteps(ended)) expect(redactor.redact(remedyText(step))).toBe(remedyText(step));
  });

  test('names only what is known', () => {
    expect(commandsOf({ charts: [], valuesFile: '' })[1]).toEqual([
      'helm upgrade circleci-server oci://cciserver.azurecr.io/circleci-server -n circleci-server -f values.yaml --username "$USERNAME" --password "$PASSWORD"',
    ]);
    expect(commandsOf({ target: server, backup: undefined })).toEqual([[], [], expect.anything()]);
  });

  test('removes a clone by its claim', () => {
    expect(commandsOf({ backup: { kind: 'clone', name: 'data-postgresql-0-before-upgrade-1' } }).at(-1)).toEqual([
      'kubectl -n circleci-server delete persistentvolumeclaim data-postgresql-0-before-upgrade-1',
    ]);
  });

  test.each<[Verdict, number]>([
    ['reverted', 2],
    ['rolled-back', 2],
    // The backup may be needed.
    ['failed', 0],
    ['interrupted', 0],
    ['passed', 0],
    ['already-upgraded', 0],
  ])('after a run that is %s: %i', (verdict, count) => {
    const steps = nextSteps({ ...ended, verdict });
    expect(steps).toHaveLength(count);
    if (count > 0) expect(commandsOf({ verdict }).at(-1)).toEqual(removal);
  });

  test.each(['reverted', 'rolled-back'] as const)(
    '%s, tells what holds the data of PostgreSQL 14, and how to remove it',
    (verdict) => {
      const name = 'data-postgresql-0-of-14-20260102030506';
      const snapshot = { verdict, served: { kind: 'VolumeSnapshot', name } } as const;
      const ofSnapshot = removal.map((line) => line.replace('data-postgresql-0-before-upgrade-20260102030405', name));
      expect(commandsOf(snapshot).slice(-2)).toEqual([removal, ofSnapshot]);
      expect(nextSteps({ ...ended, ...snapshot }).at(-1)?.text).toContain(
        `VolumeSnapshot \`${name}\` holds the data of PostgreSQL 14`,
      );
      const volume = { verdict, served: { kind: 'PersistentVolume', name: 'pv-1' } } as const;
      expect(commandsOf(volume).at(-1)).toEqual([
        'kubectl get persistentvolume pv-1',
        `kubectl patch persistentvolume pv-1 --type merge -p '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'`,
      ]);
      for (const step of nextSteps({ ...ended, ...volume })) expect(notCopyable(step)).toEqual([]);
      expect(commandsOf({ ...volume, verdict: 'failed' })).toEqual([]);
    },
  );

  test.each<[Verdict, boolean]>([
    ['passed', true],
    ['warning', true],
    ['upgraded', true],
    ['reverted', true],
    // Nobody should delete data while it is not clear what the server has.
    ['failed', false],
    ['unknown', false],
    ['interrupted', false],
  ])('after a run that is %s, what earlier upgrades left is named with its removal: %s', (verdict, isNamed) => {
    const earlier = [1, 2, 3, 4].map((n) => ({
      kind: 'VolumeSnapshot' as const,
      name: `data-postgresql-0-before-upgrade-2025010203040${String(n)}`,
    }));
    const volume = { kind: 'PersistentVolume', name: 'pv-1' } as const;
    const claim = { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0-before-upgrade-20250102030400' } as const;
    const before = nextSteps({ ...ended, verdict });
    const steps = nextSteps({
      ...ended,
      verdict,
      earlier: [volume, claim, ...earlier, ...Array.from({ length: 16 }, () => volume)],
    }).slice(before.length);
    expect(steps).toHaveLength(isNamed ? 4 : 0);
    for (const step of steps) expect(notCopyable(step)).toEqual([]);
    if (!isNamed) return;
    const [ofVolume, ofClaim, ofSnapshot, others] = steps;
    expect(ofVolume?.text).toContain(
      'PersistentVolume `pv-1` is the volume that the server had before a restore. It costs storage.',
    );
    expect(ofVolume?.commands?.[0]?.lines.at(-1)).toContain('kubectl patch persistentvolume pv-1 ');
    expect(ofClaim?.text).toBe(
      'PersistentVolumeClaim `data-postgresql-0-before-upgrade-20250102030400` is from an earlier upgrade. It costs storage. Remove it when nobody needs the data of that time any more.',
    );
    expect(ofClaim?.commands?.[0]?.lines).toEqual([
      'kubectl -n circleci-server delete persistentvolumeclaim data-postgresql-0-before-upgrade-20250102030400',
    ]);
    expect(ofSnapshot?.text).toContain(
      '-20250102030401` is from an earlier upgrade. It costs storage. Remove it when nobody',
    );
    expect(ofSnapshot?.commands?.[0]?.lines).toEqual(
      removal.map((line) => line.replace('20260102030405', '20250102030401')),
    );
    expect(others?.text).toMatch(
      /: VolumeSnapshot `\S+02`, VolumeSnapshot `\S+03`, VolumeSnapshot `\S+04`, Persist.* and 2 more\.$/,
    );
  });

  test('after a rollback: values.yaml first, then the right on the new volume', () => {
    const image = parseImage('cciserver.azurecr.io/server-postgres:12.16.37-7629bfd');
    const [values, right, ...others] = nextSteps({ ...ended, verdict: 'rolled-back', image, restored: 'pv-2' });
    expect(values?.text).toContain(
      'before values.yaml names the image of PostgreSQL 12 again (under `postgresql.image`: registry `cciserver.azurecr.io`, repository `server-postgres`, tag `12.16.37-7629bfd`)',
    );
    expect(values?.commands?.[0]?.lines[0]).toContain('helm upgrade circleci-server');
    expect(right?.text).toContain('PersistentVolume `pv-2`');
    expect(right?.commands?.[0]?.lines[0]).toContain('kubectl patch clusterrole circleci-server-postgresql-precheck');
    expect(others).toHaveLength(1);
    const [first, ...rest] = nextSteps({ ...ended, verdict: 'reverted', restored: 'pv-2' });
    // Otherwise the only thing to do would seem to be to delete the backup.
    expect(first?.text).toContain('run `mode: upgrade` again');
    expect(rest[0]).toEqual(right);
    expect(nextSteps({ ...ended, verdict: 'rolled-back', image: undefined })[0]?.text).not.toContain('registry `');
  });

  test('gives no command where a name could be taken for something else', () => {
    const hostile = {
      ...statefulSet,
      metadata: { annotations: { 'meta.helm.sh/release-name': '-x\u001b[2J; rm -rf /' } },
    };
    const [, helm] = nextSteps({ ...ended, target: { ...server, statefulSet: hostile } });
    expect(helm?.commands).toBeUndefined();
    expect(remedyText(helm ?? { text: '' })).toContain('No command is given here');
    const [, quoted] = commandsOf({ valuesFile: "it's; $(rm)/values.yaml" });
    expect(quoted?.[0]).toContain(String.raw`-f 'it'\''s; $(rm)/values.yaml'`);
  });
});
