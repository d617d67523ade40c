// The mode as a whole, by what it does around the upgrade. test/unit/upgrade proves the upgrade itself.
import { describe, expect, test } from '@jest/globals';
import { upgrade } from '../../../src/modes/upgrade.ts';
import type { ClusterModeContext, Progress } from '../../../src/modes/mode.ts';
import { leaseName, newLease } from '../../../src/objects/lease.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { rehearsalClaim, rehearsalLeaseName, rehearsalName } from '../../../src/objects/rehearsal.ts';
import { withoutLease } from '../../../src/ports/cluster.ts';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import { Timeline } from '../../../src/report/timeline.ts';
import { FakeCrypto } from '../fake-crypto.ts';
import { FakeRunner } from '../fake-runner.ts';
import { inputs, namespace, newImage } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { live } from '../upgrade/live.ts';

// The fake server answers only what an upgrade asks it.
const ignored = catalogue.map(({ id }) => `${id}: not what is tried`).join('\n');

/** A run of the mode, on a server of which a rehearsal has left its claim. */
async function upgrading() {
  const setting = await live();
  const { cluster, clock, context } = setting;
  const [runner, name] = [new FakeRunner(), rehearsalName(context.target)];
  const mark = { runId: 'run-0', begunAt: clock.now() };
  cluster
    .put('leases', newLease(namespace, '', '1', clock.now(), rehearsalLeaseName))
    .put('persistentvolumeclaims', rehearsalClaim(context.target, { kind: 'VolumeSnapshot', name }, mark));
  const progress: Progress = { findings: [], verdict: 'failed', results: { warnings: [] } };
  const given = {
    inputs: inputs({ mode: 'upgrade', confirm: namespace, probes: 'none', 'ignore-checks': ignored }),
    ...{ clock, runner, progress, runId: 'run-1', log: runner.log, signal: new AbortController().signal },
    ...{ timeline: new Timeline(clock), crypto: new FakeCrypto(), connection: cluster, cluster: withoutLease(cluster) },
    ...{ scripts: { job: context.scripts }, runCommands: context.runCommands },
  } as unknown as ClusterModeContext;
  return { ...setting, runner, progress, run: () => upgrade(given) };
}

describe('an upgrade', () => {
  test('records the state after the removal of what a rehearsal had made, which may take minutes', async () => {
    const { cluster, run, replicas } = await upgrading();
    cluster.hooks.push((call) => {
      const now = cluster.look('deployments', 'frontend', namespace);
      if (call.method === 'delete' && call.name.endsWith('-rehearsal') && now !== undefined)
        cluster.put('deployments', { ...now, spec: { ...now.spec, replicas: 6 } } as typeof now);
    });
    expect((await thrownBy(run)).code).toBe('changed-meanwhile');
    expect([cluster.peek('configmaps', journalName, namespace), replicas()]).toEqual([undefined, 6]);
  });

  test('looks for what a rehearsal made at its begin, before the downtime, and without its Lease at the end', async () => {
    const { cluster, run, progress, journal, replicas } = await upgrading();
    const looks = new Set<string>();
    cluster.hooks.push(({ method, name }) => {
      if (method !== 'find' || name !== 'data-postgresql-0-rehearsal') return;
      const holder = cluster.look('leases', leaseName, namespace)?.spec?.holderIdentity;
      const begun = journal() === undefined ? 'not begun' : 'begun';
      looks.add([progress.verdict, `"${holder ?? ''}" holds the Lease`, begun, replicas()].join(', '));
    });
    await run();
    expect([...looks]).toEqual([
      'warning, "run-1" holds the Lease, not begun, 3',
      'warning, "run-1" holds the Lease, begun, 3',
      'upgraded, "" holds the Lease, begun, 3',
    ]);
  });

  test('that is complete does not fail by what a rehearsal has left', async () => {
    const { cluster, run, progress, image, runner } = await upgrading();
    cluster.hooks.push(({ method, name }) => {
      if (method === 'find' && name === rehearsalLeaseName && image() === newImage) throw new TypeError('odd');
    });
    await run();
    expect([progress.verdict, image()]).toEqual(['upgraded', newImage]);
    expect(JSON.stringify(runner.log.annotations)).toContain('could not end the rehearsals of this server: odd');
  });
});
