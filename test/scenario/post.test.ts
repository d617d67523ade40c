import { expect, test } from '@jest/globals';
import { nodeCrypto } from '../../src/adapters/crypto.ts';
import { recordCodec } from '../../src/journal/record.ts';
import { JournalSeal } from '../../src/journal/seal.ts';
import type { ActionEnd } from './action.ts';
import { hangUp, silence } from './faults.ts';
import { namespace } from './release.ts';
import { Scenario } from './scenario.ts';
import { withoutMasks } from './workflow-commands.ts';
import { target } from '../unit/objects.ts';
import { recordOf } from '../unit/upgrade/context.ts';

const journal = 'postgresql-upgrade-12-to-14-journal';
const inputs = { mode: 'upgrade', confirm: namespace };

/** A cluster in which an upgrade was begun; `data` is noted beside its record. */
async function begun(data: Readonly<Record<string, string>> = {}): Promise<Scenario> {
  const scenario = await Scenario.begin();
  const seal = new JournalSeal(nodeCrypto, scenario.postgresql.password);
  const record = recordCodec.encode(recordOf(await target()));
  const sealed = await seal.sign(namespace, { record, ...data, counter: '1', salt: seal.newSalt() });
  scenario.api.objects.put('configmaps', { metadata: { name: journal, namespace }, data: sealed });
  return scenario;
}

/** The post step of a run that noted this. */
async function post(
  scenario: Scenario,
  state: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>> = inputs,
): Promise<ActionEnd> {
  const variables = Object.entries({ isPost: 'yes', ...state }).map(([name, value]) => [`STATE_${name}`, value]);
  return await scenario.run(given, { environment: Object.fromEntries(variables) as Record<string, string> });
}

const unfinished = [
  ['that was killed', {}],
  ['that was interrupted', { ended: 'interrupted' }],
  ['whose way back failed', { ended: 'failed' }],
] as const;

test.concurrent.each(unfinished)(
  'after a run %s it tells where the upgrade stands and what to run',
  async (_what, end) => {
    await using scenario = await begun({ step: 'upgrade-job' });
    const told = await post(scenario, { began: namespace, ...end });
    expect(told.exitCode).toBe(0);
    expect(told.warnings).toEqual([
      expect.stringMatching(/^unfinished: .* Next: Run "mode: upgrade" with the same inputs/),
    ]);
    expect(told.errors).toEqual([]);
    expect(told.summary).toContain('# ! The upgrade is not finished');
    expect(told.summary).toContain('last step: upgrade-job');
    expect(told.summary).toContain('**Next:** Run "mode: upgrade" with the same inputs');
    expect(scenario.api.writes).toEqual([]);
    expect(told.outputs).toEqual({});
  },
);

test.concurrent('after a rehearsal that was killed it tells what is left of it, and asks nobody', async () => {
  await using scenario = await Scenario.begin();
  const told = await post(scenario, { rehearsed: namespace }, { mode: 'rehearse' });
  expect([told.exitCode, told.errors, scenario.api.calls]).toEqual([0, [], []]);
  expect(told.warnings).toEqual([
    expect.stringMatching(/^rehearsal: This run was killed in a rehearsal in namespace circleci-server\..*kubectl -n/),
  ]);
  const ended = await post(scenario, { rehearsed: namespace, ended: 'failed' }, { mode: 'rehearse' });
  expect(ended.warnings).toEqual([]);
});

test.concurrent('its own run is known to be dead, although its Lease has not expired', async () => {
  await using scenario = await begun({ step: 'upgrade-job' });
  const holderIdentity = 'https://github.example/admins/server/actions/runs/1/attempts/1';
  const renewTime = new Date(Date.now() - 5000).toISOString().replace('Z', '000Z');
  const spec = { holderIdentity, leaseDurationSeconds: 60, acquireTime: renewTime, renewTime };
  scenario.api.objects.put('leases', { metadata: { name: 'postgresql-upgrade-12-to-14', namespace }, spec });
  const told = await post(scenario, { began: namespace });
  expect(told.warnings).toEqual([expect.stringContaining('Next: Run "mode: upgrade"')]);
});

test.concurrent.each([
  ['the run ended upgraded', { began: namespace, ended: 'upgraded' }, {}],
  ['the run went back', { began: namespace, ended: 'reverted' }, {}],
  ['the run never began an upgrade', { ended: 'failed' }, {}],
  ['the run was killed after its last note', { began: namespace }, { outcome: 'upgraded' }],
])('it says nothing when %s', async (_what, state, data) => {
  await using scenario = await begun(data);
  const told = await post(scenario, state);
  expect([told.exitCode, withoutMasks(told.stdout), told.summary]).toEqual([0, '', '']);
  expect(scenario.api.writes).toEqual([]);
});

test.concurrent.each([
  ['hangs up', hangUp],
  ['says nothing', silence],
])('with an API server that %s it tells what the run noted, soon', async (_what, fault) => {
  await using scenario = await begun();
  scenario.api.answer('GET', /./, fault);
  const told = await post(scenario, { began: namespace });
  expect(told.exitCode).toBe(0);
  expect(told.warnings).toEqual([
    expect.stringMatching(
      /^unfinished: This run began an upgrade in namespace circleci-server, which may be unfinished.*"mode: upgrade"/,
    ),
  ]);
  expect(told.summary).toContain('# ! The upgrade is not finished');
  expect(told.seconds).toBeLessThan(30);
});

test.concurrent('inputs that are wrong by now do not fail it', async () => {
  await using scenario = await begun();
  const told = await post(scenario, { began: namespace }, { ...inputs, mode: 'sidegrade' });
  expect(told.exitCode).toBe(0);
  expect(told.warnings).toHaveLength(1);
});

test.concurrent(
  'a run notes its post step first, and how it ended; only an upgrade that begins is noted as begun',
  async () => {
    await using scenario = await Scenario.begin();
    const end = await scenario.run();
    expect(end.state).toEqual({ isPost: 'yes', ended: end.outputs['verdict'] });
  },
);

test.concurrent('a journal that nobody signed is told as one that nothing may be built on', async () => {
  await using scenario = await begun();
  const record = recordCodec.encode(recordOf(await target()));
  scenario.api.objects.put('configmaps', { metadata: { name: journal, namespace }, data: { record } });
  const told = await post(scenario, { began: namespace });
  expect(told.exitCode).toBe(0);
  expect(told.warnings).toEqual([expect.stringContaining(`confirm: ${namespace} without the journal`)]);
  expect(told.summary).toContain('is not authentic');
});
