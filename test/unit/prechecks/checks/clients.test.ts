import { describe, expect, test } from '@jest/globals';
import type { Neighbour } from '../../../../src/target/neighbours.ts';
import { inputs, serverContainer, serverPod, target } from '../../objects.ts';
import { answerOf, known } from '../facts.ts';

const client = {
  pid: 77,
  database: 'circle',
  user: 'circle',
  application: 'exporter',
  address: '10.0.0.7',
  state: 'idle',
};
const exporter: Neighbour = {
  ...{
    kind: 'Deployment',
    name: 'exporter',
    isApplication: false,
    pods: 2,
    addresses: ['10.0.0.7'],
    nodes: ['192.0.2.1'],
    uses: [],
  },
};

function connected(from: Partial<typeof client>, ...neighbours: Neighbour[]) {
  return answerOf('clients', { clients: known([{ ...client, ...from }]), neighbours: known(neighbours) });
}

describe('clients', () => {
  test('of the application layer pass: the upgrade stops them', async () => {
    const answer = await connected({}, { ...exporter, isApplication: true });
    expect(answer.status).toBe('passed');
    expect(answer.text).toBe('1 sessions of workloads that the upgrade stops');
  });

  test('of a workload that the upgrade does not stop fail, with its name, the session and the command that stops it', async () => {
    const answer = await connected({}, exporter);
    expect(answer.status).toBe('failed');
    expect(answer.evidence[0]).toBe('Deployment exporter (10.0.0.7): exporter, user circle, database circle, idle');
    expect(answer.remedy?.text).toContain('kubectl -n circleci-server scale deployment exporter --replicas=0');
    expect(answer.remedy?.text).toContain('"clients-timeout"');
  });

  test.each([
    ['DaemonSet', 'failed', 'patch daemonset exporter'],
    ['Pod', 'failed', 'delete pod exporter'],
    ['StatefulSet', 'failed', 'scale statefulset exporter'],
    ['Job', 'warning', 'wait --for=condition=complete job/exporter'],
    ['CronJob', 'warning', 'patch cronjob exporter'],
  ])('of a %s: %s', async (kind, status, command) => {
    const answer = await connected({}, { ...exporter, kind });
    expect(answer.status).toBe(status);
    expect(answer.remedy?.text).toContain(command);
  });

  test.each(['local', '127.0.0.1', '::1', '10.1.2.3'])(
    "in the server's own pod (%s) fail, with what ends them",
    async (address) => {
      const alone = await connected({ address });
      expect(alone.status).toBe('failed');
      expect(alone.text).toContain("in the server's own pod");
      expect(alone.remedy?.text).toContain('`SELECT pg_terminate_backend(77);` as the superuser (`kubectl');
      const spec = { containers: [serverContainer(), { name: 'metrics' }] };
      const withSidecar = await answerOf('clients', {
        clients: known([{ ...client, address }]),
        target: await target(undefined, { pod: { ...serverPod(), spec } }),
      });
      expect(withSidecar.status).toBe('failed');
      expect(withSidecar.text).toContain('beside it: metrics');
      expect(withSidecar.remedy?.text).toContain('postgresql.metrics.enabled=false');
    },
  );

  test("behind a service mesh's proxy nobody can tell who it is: a warning", async () => {
    const spec = { containers: [serverContainer(), { name: 'istio-proxy' }] };
    const meshed = await target(undefined, { pod: { ...serverPod(), spec } });
    const ask = (address: string) => answerOf('clients', { clients: known([{ ...client, address }]), target: meshed });
    expect((await ask('127.0.0.6')).status).toBe('warning');
    expect((await ask('local')).status).toBe('failed');
  });

  test('from elsewhere fail with their address', async () => {
    const answer = await connected({ address: '192.0.2.4' }, exporter);
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('from 192.0.2.4, no pod of namespace circleci-server');
    expect(answer.remedy?.text).toContain('grep -F 192.0.2.4');
  });

  test.each([[['10.0.0.7']], [['192.0.2.1']]])(
    'from the address of a node nobody can tell who it is: a warning',
    async (addresses) => {
      const onHost = { ...exporter, kind: 'DaemonSet', addresses };
      const answer = await connected({ address: '192.0.2.1' }, onHost);
      expect(answer.status).toBe('warning');
      expect(answer.text).toContain('from 192.0.2.1, the address of a node');
      expect(answer.remedy?.text).toContain('hostNetwork');
    },
  );

  test("at an address that several share may be the application's", async () => {
    const frontend = { ...exporter, name: 'frontend', isApplication: true };
    expect((await connected({}, exporter, frontend)).status).toBe('passed');
  });
});

describe('foreign-workloads', () => {
  const using = { ...exporter, uses: ['variable PW (Secret postgresql)'] };
  const ask = (selector: string, ...list: Neighbour[]) =>
    answerOf('foreign-workloads', { neighbours: known(list), inputs: inputs({ 'application-selector': selector }) });

  test('that name PostgreSQL warn, with the label that has them stopped', async () => {
    const answer = await ask('layer=application', using);
    expect(answer.status).toBe('warning');
    expect(answer.text).toContain(
      'Deployment exporter is not stopped by the upgrade and names PostgreSQL: variable PW (Secret postgresql)',
    );
    // Only one of the two is to be copied, so they are no block of commands.
    expect(answer.commands).toBe('');
    expect(answer.remedy?.text).toContain(
      "Then apply the role of the upgrade's account again, since it names workloads",
    );
    expect(answer.remedy?.text).toContain(
      "\nDeployment exporter: is it CircleCI's? `kubectl -n circleci-server label deployment exporter layer=application`. " +
        'If not: `kubectl -n circleci-server scale deployment exporter --replicas=0` for the upgrade, ' +
        'and back to its 2 pods of now (`kubectl -n circleci-server scale deployment exporter --replicas=2`) afterwards.',
    );
  });

  test('that are many have commands for the first of them', async () => {
    const many = Array.from({ length: 12 }, (_, index) => ({ ...using, name: `exporter-${String(index)}` }));
    const answer = await ask('layer=application', ...many);
    expect(answer.evidence).toHaveLength(12);
    expect(answer.remedy?.text).toMatch(/\nDeployment exporter-9: .*\nDo the same for the 2 others\.$/);
  });

  test.each([
    ['layer in (application)', 'Deployment', 'scale deployment exporter --replicas=0'],
    ['layer=application', 'DaemonSet', 'patch daemonset exporter'],
    ['layer=application', 'DaemonSet', '"stopped-for-upgrade":null'],
    ['layer=application', 'CronJob', 'label cronjob exporter'],
    [
      'layer=application',
      'CronJob',
      '(unless it was suspended before) `kubectl -n circleci-server patch cronjob exporter',
    ],
    ['layer=application', 'Pod', 'delete pod exporter`.'],
  ])('where a label (%s) does not do for a %s: %s', async (selector, kind, command) => {
    expect((await ask(selector, { ...using, kind })).remedy?.text).toContain(command);
  });

  test('that do not, and the application layer, pass', async () => {
    const answer = await ask('layer=application', exporter, { ...using, name: 'frontend', isApplication: true });
    expect(answer.status).toBe('passed');
  });
});
