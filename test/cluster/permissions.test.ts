import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { resources } from '../../src/ports/cluster.ts';
import { isGrantedInNamespace, manifests, modeManifests } from '../../src/target/permission-manifests.ts';
import { permissionName, permissionsFor, type Permission } from '../../src/target/permissions.ts';
import { isUntold, runAction, type ActionEnd } from './action.ts';
import { bench, environment, kubectl, kubectlWith, namespace } from './bench.ts';
import { kubeconfigOf } from './user.ts';

jest.setTimeout(10 * 60_000);

const account = 'rights';
/** What is not installed here is not asked for. */
const rows = permissionsFor('precheck').filter(({ ifServed }) => ifServed !== true);
const ofImages = [
  'extensions',
  'images',
  'libraries',
  'locales-in-images',
  'replay',
  'serving-logins',
  'serving-start',
  'sort-order',
];
/** What is known without a command in the server's pod, or not asked. */
const withoutExec =
  `cluster-access permissions statefulset pod-containers termination-grace transfer locales-in-images images serving-start
  volume-snapshot volume-claim volume-users applications storage-class placement foreign-workloads gitops helm-release
  operator server-release`.split(/\s+/);

/**
 * What a precheck can't tell without a permission: `forbidden` where it does not even find the server, else the checks that are unknown, or that
 * warn where the table says so.
 * The check `permissions` fails besides, unless the permission is one that only informs.
 */
const lacking: Readonly<Record<string, 'forbidden' | readonly string[]>> = {
  'get namespaces': 'forbidden',
  // Needed with the input "statefulset", and by an upgrade.
  'get statefulsets.apps': [],
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
  'list volumesnapshotclasses.snapshot.storage.k8s.io': ['volume-snapshot'],
  // Older API servers open a command by GET, newer ones ask for "create" besides.
  'create pods/exec': [],
  'get storageclasses.storage.k8s.io': ['storage-class'],
  'list nodes': ['placement'],
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

let kubeconfig: string;
let whole: ActionEnd;
let unprobed: ActionEnd;

beforeAll(async () => {
  bench('reset', '--namespace', namespace, '--no-writer');
  kubeconfig = kubeconfigOf(namespace, account);
  await grant(rows);
  whole = await runAction({ namespace, kubeconfig });
  unprobed = await runAction({ namespace, kubeconfig, probes: 'none' });
});

afterAll(() => {
  const names = [account, 'postgresql-precheck-missing', 'postgresql-precheck', 'postgresql-upgrade'];
  const leftover = [...names, 'postgresql-upgrade-reads'].map((name) => `${namespace}-${name}`);
  for (const kind of ['clusterrole', 'clusterrolebinding']) kubectl('delete', kind, ...leftover, '--ignore-not-found');
});

test('with exactly the manifests of the documentation a precheck can tell everything', () => {
  expect(whole.report.error).toBeUndefined();
  expect(whole.report.findings.filter(({ status }) => status === 'unknown' || status === 'failed')).toEqual([]);
  // What an upgrade needs besides.
  expect(statusOf(whole, 'permissions')).toBe('warning');
});

test("the documentation's precheck may change nothing outside of the namespace, and its upgrade has a precheck's roles and its own", async () => {
  for (const mode of ['precheck', 'upgrade'] as const)
    kubectlWith(modeManifests(mode, namespace).join('\n'), 'apply', '-f', '-');
  await sleep(settling);
  const refused = (mode: 'precheck' | 'upgrade') => refusedTo(`system:serviceaccount:${namespace}:postgresql-${mode}`);
  expect(refused('upgrade')).toEqual([]);
  expect(refused('precheck')).toEqual(permissionsFor('upgrade').filter(({ mode }) => mode === 'upgrade'));
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
  test.each(Object.entries(lacking))('%s', async (name, unknown) => {
    const row = rows.find((one) => permissionName(one) === name);
    await grant(rows.filter((one) => one !== row));
    // Asking the images takes longest, and most permissions have nothing to do with it.
    const isAsked = ['get pods/log', 'create pods'].includes(name);
    const [base, end] = isAsked
      ? [whole, await runAction({ namespace, kubeconfig })]
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
  await grant(rows.filter(({ resource }) => resource !== 'configmaps' && resource !== 'volumesnapshotclasses'));
  const short = await runAction({ namespace, kubeconfig, probes: 'none' });
  const [, command] =
    short.report.findings.find(({ check }) => check === 'permissions')?.remedy?.split('In a shell:\n') ?? [];
  expect(command).toContain(`name: ${account}, namespace: ${namespace}`);
  execFileSync('bash', ['-c', command ?? ''], { env: { ...process.env, ...environment }, stdio: 'pipe' });
  await sleep(settling);
  const end = await runAction({ namespace, kubeconfig, probes: 'none' });
  // What an upgrade needs besides is not this account's.
  expect(changes(unprobed, end)).toEqual({});
});

/** Rows of an upgrade that the API server's authorizer would refuse to a user, whether what they are about is installed or not. */
function refusedTo(user: string): Permission[] {
  const asked = permissionsFor('upgrade');
  const reviews = asked.map((row) => {
    const { verb, resource, subresource } = row;
    const where = isGrantedInNamespace(row) ? { namespace, name: resource === 'namespaces' ? namespace : '' } : {};
    const resourceAttributes = { verb, group: resources[resource].group, resource, subresource, ...where };
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
  const input = manifests(permissions, account, namespace, subject).join('\n');
  kubectlWith(input, 'apply', '-f', '-');
  await sleep(settling);
}
