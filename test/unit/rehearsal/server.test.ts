import { describe, expect, test } from '@jest/globals';
import { serverPod } from '../../../src/rehearsal/server.ts';
import { newImage, serverContainer, statefulSet, target } from '../objects.ts';

const mark = { runId: 'run-1', begunAt: new Date(Date.UTC(2026, 0, 2)) };

async function pod(hasCopy: boolean, spec: Parameters<typeof statefulSet>[0] = {}) {
  const found = await target(statefulSet(spec));
  return {
    found,
    made: serverPod({ target: found, mark, followsServer: true }, { major: 14, image: newImage, hasCopy }),
  };
}

describe('the pod of a server on the copy', () => {
  test("is the server's, with the copy in the place of its volume", async () => {
    const { made } = await pod(true);
    const [container] = made.spec?.containers ?? [];
    expect([container?.name, container?.image]).toEqual(['postgresql', newImage]);
    expect(container?.volumeMounts).toContainEqual({ name: 'data', mountPath: '/bitnami/postgresql' });
    expect(made.spec?.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-postgresql-0-rehearsal' },
    });
  });

  test('has an empty directory where there is no copy yet', async () => {
    const { made } = await pod(false);
    expect(JSON.stringify(made)).not.toContain('persistentVolumeClaim');
  });

  test('listens on its local socket alone, archives nothing and has no background worker, whatever its own flags say', async () => {
    const own = { name: 'POSTGRESQL_EXTRA_FLAGS', value: '-c listen_addresses=*' };
    const env = [...(serverContainer().env ?? []), own];
    const { made } = await pod(true, { containers: [serverContainer({ env })] });
    const flags = made.spec?.containers[0]?.env?.find(({ name }) => name === 'POSTGRESQL_EXTRA_FLAGS')?.value ?? '';
    const settings = new Map(
      flags.split('-c ').flatMap((flag) => {
        const [name, value] = flag.trim().split('=');
        return name === undefined || value === undefined ? [] : [[name, value] as const];
      }),
    );
    expect(Object.fromEntries(settings)).toEqual({
      ...{ listen_addresses: '', archive_mode: 'off', archive_command: '/bin/false' },
      ...{ max_worker_processes: '0', max_logical_replication_workers: '0' },
    });
  });

  test('has no label by which a Service or a controller selects it, and ends by itself', async () => {
    const { found, made } = await pod(true);
    const labels = made.metadata?.labels ?? {};
    for (const [name, value] of Object.entries(found.statefulSet.spec?.selector.matchLabels ?? {}))
      expect(labels[name]).not.toBe(value);
    expect(made.spec).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false });
    expect(made.spec?.activeDeadlineSeconds).toBeGreaterThan(3600);
    expect(made.spec?.priorityClassName).toBeUndefined();
  });
});
