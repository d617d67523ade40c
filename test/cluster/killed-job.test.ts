import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startAction, type ActionEnd } from './action.ts';
import { bench, kubectl, namespace, psql } from './bench.ts';
import { replicas } from './server.ts';
import { verifyWriter } from './writer.ts';

jest.setTimeout(15 * 60_000);

/** pg_upgrade stops there in the middle of linking and waits to be killed. */
const pausingImage = 'cciserver.azurecr.io/server-postgres-upgrade:12-14-pauses-while-linking';

describe('an upgrade whose Job is killed while it links', () => {
  let before: ReturnType<typeof replicas>;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace);
    before = replicas(namespace);
    const action = startAction({ namespace, mode: 'upgrade', confirm: namespace, 'upgrade-image': pausingImage });
    await killWhileLinking(action.end);
    end = await action.end;
  });

  test('ends as reverted and says that the Job was killed', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain('137');
  });

  test('12 serves as before, with every change', () => {
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
    const { lost, doubled, unexpected } = verifyWriter(namespace);
    expect({ lost, doubled, unexpected }).toEqual({ lost: [], doubled: [], unexpected: [] });
    expect(replicas(namespace)).toEqual(before);
  });

  test('nothing of the half-made cluster is left', () => {
    const entries = kubectl(
      '-n',
      namespace,
      'exec',
      'postgresql-0',
      '--',
      'ls',
      '/bitnami/postgresql',
      '/bitnami/postgresql/data/global',
    );
    expect(entries).not.toContain('data-14');
    expect(entries).not.toContain('pg_control.old');
  });
});

async function killWhileLinking(ended: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void ended.finally(() => {
    over.abort();
  });
  while (!over.signal.aborted) {
    const volume = mountedVolume();
    if (volume !== undefined && existsSync(path.join(volume, '.paused-while-linking'))) {
      bench('kill-container', '--namespace', namespace, '--pod', jobPod());
      return;
    }
    await sleep(200);
  }
  throw new Error('the action ended before its Job began to link');
}

function jobPod(): string {
  const selector = 'batch.kubernetes.io/job-name=postgres-upgrade-12-to-14';
  return kubectl('-n', namespace, 'get', 'pods', '-l', selector, '-o', 'jsonpath={.items[0].metadata.name}');
}

function mountedVolume(): string | undefined {
  try {
    return bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim();
  } catch {
    return undefined;
  }
}
