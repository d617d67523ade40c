/** @jest-environment ./test/cluster/bench-environment.ts */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { resources } from '../../src/ports/cluster.ts';
import { admissionPolicies } from '../../src/permissions/admission-policy.ts';
import { isGrantedInNamespace, manifests, modeManifests } from '../../src/permissions/permission-manifests.ts';
import { permissionName, permissionsFor, type Permission } from '../../src/permissions/permissions.ts';
import { isUntold, runAction, type ActionEnd } from './action.ts';
import { choiceOf, isWhole } from '../choice.ts';
import { commandsFor } from '../commands.ts';
import { environment, kubectl, kubectlWith, namespace, reset } from './bench.ts';
import { isGranted, type ApiCall } from '../granted.ts';
import { kubeconfigOf, namesOf } from './user.ts';

jest.setTimeout(10 * 60_000);

const account = 'rights';
/** What is not installed here is not asked for. */
const rows = permissionsFor('precheck').filter(({ ifServed }) => ifServed !== true);
const ofImages = [
  'extensions',
  'images',
  'libraries',
  'locales-in-images',
  'restore-test',
  'security-faults',
  'serving-logins',
  'serving-start',
  'sort-order',
];
/** What is known without a command in the server's pod, or not asked. */
const withoutExec =
  `cluster-access permissions secret-masking statefulset pod-containers termination-grace transfer locales-in-images images serving-start
  volume-snapshot volume-claim volume-users applications storage-class placement foreign-workloads gitops helm-release
  operator server-release`.split(/\s+/);

/**
 * What a precheck can't tell without a permission: `forbidden` where it does not even find the server, else the checks that are unknown, or that
 * warn where the table says so.
 * The check `permissions` fails besides, unless the permission is one that only informs.
 */
const lacking: Readonly<Record<string, 'forbidden' | readonly string[]>> = {
  'get namespaces': 'forbidden',
  'list statefulsets.apps': 'forbidden',
  'list deployments.apps': 'forbidden',
  'list cronjobs.batch': 'forbidden',
  'get pods': 'forbidden',
  'list pods': ['clients', 'foreign-workloads', 'volume-users'],
  'get persistentvolumeclaims': 'forbidden',
  'get persistentvolumes': 'forbidden',
  'get secrets': 'forbidden',
  'list secrets': ['helm-release'],
  'get configmaps': ['leftovers'],
  'list jobs.batch': ['leftovers'],
  // Read by an upgrade before it begins.
  'get leases.coordination.k8s.io': [],
  // Backups of earlier upgrades are then not named.
  'list volumesnapshots.snapshot.storage.k8s.io': [],
  'list persistentvolumeclaims': [],
  'list volumesnapshotclasses.snapshot.storage.k8s.io': ['volume-snapshot'],
  // Older API servers open a command by GET, newer ones ask for "create" besides.
  'create pods/exec': [],
  'get storageclasses.storage.k8s.io': ['storage-class'],
  'list nodes': ['placement'],
  'list networkpolicies.networking.k8s.io': [],
  'list services': [],
  'list poddisruptionbudgets.policy': ['placement'],
  // Of the server that is tried, only one that does not start is asked for its log.
  'get pods/log': ofImages.filter((id) => !id.startsWith('serving-')),
  'create pods': ['admission', ...ofImages],
  // They end by themselves.
  'delete pods': [],
  'create jobs.batch': ['admission'],
  'create volumesnapshots.snapshot.storage.k8s.io': ['admission'],
  'create configmaps': ['admission'],
  'create persistentvolumeclaims': ['admission'],
};

/** Asking the images takes longest, and most permissions have nothing to do with it. */
const ofProbes = ['get pods/log', 'create pods'];
// What a precheck with probes tells by exactly these permissions test/cluster/precheck.test.ts proves too.
const lackingHere = Object.entries(lacking).filter(([name]) => isWhole || !ofProbes.includes(name));

let kubeconfig: string;
let probed: ActionEnd;
let unprobed: ActionEnd;

beforeAll(async () => {
  reset('--no-writer');
  kubeconfig = kubeconfigOf(namespace, account);
  await grant(rows);
  unprobed = await runAction({ namespace, kubeconfig, probes: 'none' });
  probed = isWhole ? await runAction({ namespace, kubeconfig }) : unprobed;
});

afterAll(() => {
  const parts = ['postgresql-precheck', 'postgresql-precheck-optional'];
  const names = [account, `postgresql-precheck:${namespace}:${account}`, 'postgresql-upgrade', ...parts];
  const leftover = [...names, ...parts.map((name) => `upgrade-of-${name}`)].map((name) => `${namespace}-${name}`);
  for (const kind of ['clusterrole', 'clusterrolebinding']) kubectl('delete', kind, ...leftover, '--ignore-not-found');
});

test('with exactly the manifests of the documentation a precheck can tell everything', () => {
  expect(probed.report.error).toBeUndefined();
  expect(probed.report.findings.filter((finding) => isUntold(finding) || finding.status === 'failed')).toEqual([]);
  // It has none of an upgrade's rights, as intended.
  expect(statusOf(probed, 'permissions')).toBe('passed');
});

test("the documentation's precheck may change nothing outside of the namespace, and its upgrade has a precheck's roles and its own", async () => {
  for (const mode of ['precheck', 'upgrade'] as const)
    kubectlWith(modeManifests(mode, namesOf(namespace)).join('\n'), 'apply', '-f', '-');
  await sleep(settling);
  const refused = (mode: 'precheck' | 'upgrade') => refusedTo(`system:serviceaccount:${namespace}:postgresql-${mode}`);
  expect(refused('upgrade')).toEqual([]);
  const names = namesOf(namespace);
  const isOfPrecheck = (right: Right) => isGranted(right, names, permissionsFor('precheck'));
  expect(refused('precheck')).toEqual(rightsOf(permissionsFor('upgrade')).filter((right) => !isOfPrecheck(right)));
  const end = await runAction({
    ...{ namespace, probes: 'none', mode: 'upgrade', 'dry-run': 'true' },
    kubeconfig: kubeconfigOf(namespace, 'postgresql-upgrade'),
  });
  expect(statusOf(end, 'permissions')).toBe('passed');
});

test('each permission is in the table of this test', () => {
  const named = [...Object.keys(lacking), 'get pods/exec'].sort();
  expect(named).toEqual(rows.map(permissionName).sort());
});

describe('without one permission exactly what needs it is not told', () => {
  test.each(choiceOf(lackingHere, 4))('%s', async (name, unknown) => {
    const row = rows.find((one) => permissionName(one) === name);
    await grant(rows.filter((one) => one !== row));
    const [base, end] = ofProbes.includes(name)
      ? [probed, await runAction({ namespace, kubeconfig })]
      : [unprobed, await runAction({ namespace, kubeconfig, probes: 'none' })];
    if (unknown === 'forbidden') {
      expect(end.report.error).toMatchObject({ code: 'forbidden' });
      expect(end.report.error?.message).toContain(`cannot ${row?.verb ?? ''} resource "${row?.resource ?? ''}"`);
      return;
    }
    const needed = row?.informs === undefined;
    expect(changes(base, end)).toEqual(
      Object.fromEntries([
        ...(needed ? [['permissions', 'failed']] : []),
        ...unknown.map((id) => [id, row?.without ?? 'unknown']),
      ]),
    );
    expect(JSON.stringify(end.report.findings)).toContain(`${needed ? 'missing' : 'not granted'}: ${name}`);
  });

  test('get pods/exec', async () => {
    await grant(rows.filter((one) => permissionName(one) !== 'get pods/exec'));
    const end = await runAction({ namespace, kubeconfig, probes: 'none' });
    expect(end.report.findings.filter((finding) => !isUntold(finding)).map(({ check }) => check)).toEqual(withoutExec);
    expect(statusOf(end, 'permissions')).toBe('failed');
  });
});

test('the manifests that the check prints grant what is missing', async () => {
  // Without any other one that is needed, the server is not found.
  await grant(
    rows.filter((row) => permissionName(row) !== 'create pods/exec' && row.resource !== 'volumesnapshotclasses'),
  );
  const short = await runAction({ namespace, kubeconfig, probes: 'none' });
  const { remedy } = short.report.findings.find(({ check }) => check === 'permissions') ?? {};
  const command = commandsFor('shell', remedy);
  expect(command).toContain(`name: ${account}, namespace: ${namespace}`);
  execFileSync('bash', ['-c', command], { env: { ...process.env, ...environment }, stdio: 'pipe' });
  await sleep(settling);
  const end = await runAction({ namespace, kubeconfig, probes: 'none' });
  // What a precheck can do without, and what an upgrade needs besides, is not granted with it.
  expect(changes(unprobed, end)).toEqual({ 'volume-snapshot': 'unknown' });
});

describe('the admission policies of the documentation', () => {
  const upgrader = `system:serviceaccount:${namespace}:postgresql-upgrade`;
  const foreign = [
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'of-another-tenant' } },
      spec: {
        ...{ capacity: { storage: '1Mi' }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Retain' },
        hostPath: { path: '/nowhere' },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'kube-system', name: 'theirs' },
      },
    },
    {
      ...{ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshotContent' },
      metadata: { name: 'of-another-tenant' },
      spec: {
        ...{ deletionPolicy: 'Retain', driver: 'nobody', source: { snapshotHandle: 'theirs' } },
        volumeSnapshotRef: { namespace: 'kube-system', name: 'theirs' },
      },
    },
    {
      ...{ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot' },
      metadata: { name: 'of-somebody-else', namespace },
      spec: { volumeSnapshotClassName: 'nobody', source: { persistentVolumeClaimName: 'data-postgresql-0' } },
    },
  ];
  const label = (...object: string[]) => ['label', ...object, 'touched=yes', '--overwrite'];
  const attacks = [
    label('pv', 'of-another-tenant'),
    ['patch', 'pv', 'of-another-tenant', '-p', `{"spec":{"claimRef":{"namespace":"${namespace}"}}}`],
    label('volumesnapshotcontent', 'of-another-tenant'),
    ['-n', namespace, 'delete', 'volumesnapshot', 'of-somebody-else', '--wait=false'],
  ];
  /** Those that the API server would take from the upgrade's account; with a dry run nothing is done. */
  const taken = (calls: readonly string[][]) =>
    calls.filter((call) => {
      try {
        kubectl(`--as=${upgrader}`, ...call, '--dry-run=server');
        return true;
      } catch (error) {
        if (!/ValidatingAdmissionPolicy .* denied request/.test(String(error))) throw error;
        return false;
      }
    });
  const policies = admissionPolicies(namespace, 'postgresql-upgrade').join('\n');

  beforeAll(() => {
    kubectlWith(modeManifests('upgrade', namesOf(namespace)).join('\n'), 'apply', '-f', '-');
    for (const object of foreign) kubectlWith(JSON.stringify(object), 'apply', '-f', '-');
  });

  afterAll(() => {
    kubectlWith(policies, 'delete', '--ignore-not-found', '-f', '-');
    for (const object of foreign)
      kubectlWith(JSON.stringify(object), 'delete', '--wait=false', '--ignore-not-found', '-f', '-');
  });

  test('keep the upgrade from volumes and snapshots of others, and from nothing of its own', async () => {
    await sleep(settling);
    expect(taken(attacks)).toEqual(attacks);
    kubectlWith(policies, 'apply', '-f', '-');
    const own = [label('pv', namesOf(namespace).volume)];
    // The API server compiles a policy some time after it was made.
    for (let attempt = 0; taken(attacks).length > 0 && attempt < 30; attempt++) await sleep(1000);
    expect(taken(attacks)).toEqual([]);
    expect(taken(own)).toEqual(own);
  });
});

/** A right as the API server's authorizer is asked for it. */
interface Right extends ApiCall {
  readonly group: string;
  readonly namespace?: string;
}

/** For each name where it is by name. */
function rightsOf(asked: readonly Permission[]): Right[] {
  const server = namesOf(namespace);
  const rights = asked.flatMap((row) => {
    const { verb, resource, subresource, names } = row;
    const right = { verb, group: resources[resource].group, resource, subresource };
    const where = isGrantedInNamespace(row) ? { namespace } : {};
    return (names?.(server) ?? [undefined]).map((name): Right => ({ ...right, ...where, name }));
  });
  return [...new Map(rights.map((right) => [JSON.stringify(right), right])).values()];
}

/** Rights of an upgrade that the API server's authorizer would refuse to a user, whether what they are about is installed or not. */
function refusedTo(user: string): Right[] {
  const asked = rightsOf(permissionsFor('upgrade'));
  const reviews = asked.map((resourceAttributes) => {
    const kind = 'SubjectAccessReview';
    return { apiVersion: 'authorization.k8s.io/v1', kind, metadata: {}, spec: { user, resourceAttributes } };
  });
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reviews });
  const answers = kubectlWith(list, 'create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}').trim().split('\n');
  expect(answers).toHaveLength(asked.length);
  return asked.filter((_, index) => answers[index] !== 'true');
}

/** Checks whose status is another one now. */
function changes(before: ActionEnd, after: ActionEnd): Record<string, string | undefined> {
  const ids = before.report.findings.map(({ check }) => check);
  expect(after.report.findings.map(({ check }) => check)).toEqual(ids);
  const changed = ids.filter((id) => statusOf(before, id) !== statusOf(after, id));
  return Object.fromEntries(changed.map((id) => [id, statusOf(after, id)]));
}

function statusOf({ report }: ActionEnd, id: string): string | undefined {
  return report.findings.find(({ check }) => check === id)?.status;
}

/** Milliseconds until the API server's authorizer, which watches the roles, has heard of a change. */
const settling = 500;

/** These and no others, by the manifests that the documentation has. */
async function grant(permissions: readonly Permission[]): Promise<void> {
  const subject = { kind: 'ServiceAccount', name: account, namespace } as const;
  const input = manifests(permissions, account, namesOf(namespace), subject).join('\n');
  kubectlWith(input, 'apply', '-f', '-');
  await sleep(settling);
}
