import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { Fault } from './api-server.ts';
import { hangUp, silence } from './faults.ts';
import { Scenario } from './scenario.ts';

const pods = '/api/v1/namespaces/circleci-server/pods';
const deletions = ['restore-test', 'serving', 'start', 'upgrade'].map((role) =>
  expect.stringContaining(`DELETE ${pods}/postgres-upgrade-probe-${role}-`),
);

/** A probe that runs and never ends. */
async function withEndlessProbes(): Promise<Scenario> {
  const scenario = await Scenario.begin();
  scenario.api.podStatus = () => ({
    phase: 'Running',
    containerStatuses: ['probe', 'postgresql'].map((name) => ({
      name,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    })),
  });
  return scenario;
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle of the probes removes them and ends the run',
  async (signal) => {
    await using scenario = await withEndlessProbes();
    const running = scenario.start({ probes: 'pods' });
    await scenario.api.received(`GET ${pods}/postgres-upgrade-probe-upgrade-`);
    await scenario.api.received(`GET ${pods}/postgres-upgrade-probe-serving-`);
    await scenario.api.received(`GET ${pods}/postgres-upgrade-probe-restore-test-`);
    const asked = performance.now();
    running.process.kill(signal);
    const end = await running.end;
    expect(performance.now() - asked).toBeLessThan(5000);
    expect(end.exitCode).toBe(1);
    expect(end.report?.error?.code).toBe('cancelled');
    // Whichever of its reads the signal meets: it waits for the probes by reads, and others may be under way.
    expect(end.errors).toEqual([expect.stringMatching(/^cancelled: Cancelled while (waiting for|trying to read) /)]);
    expect(end.summary).toContain('Cancelled while');
    expect(scenario.api.writes.filter((w) => w.startsWith('DELETE')).sort()).toEqual(deletions);
  },
);

test('the run waits for the removal of each probe, also of the one that is slower', async () => {
  await using scenario = await withEndlessProbes();
  const { api } = scenario;
  const held: (() => void)[] = [];
  const hold: Fault = (_response, proceed) => {
    held.push(proceed);
  };
  api.answer('GET', /probe-serving-/, hold);
  const running = scenario.start({ probes: 'pods' });
  await api.received(`GET ${pods}/postgres-upgrade-probe-upgrade-`);
  await api.received(`GET ${pods}/postgres-upgrade-probe-serving-`);
  await api.received(`GET ${pods}/postgres-upgrade-probe-restore-test-`);
  running.process.kill('SIGINT');
  await api.received(`DELETE ${pods}/postgres-upgrade-probe-upgrade-`);
  // Long enough for a run that does not wait to be gone; one that waits is not decided by it.
  setTimeout(() => {
    for (const proceed of held) proceed();
  }, 700);
  const end = await running.end;
  expect(end.report?.error?.code).toBe('cancelled');
  expect(api.writes.filter((w) => w.startsWith('DELETE')).sort()).toEqual(deletions);
});

test('a signal ends a read that hangs', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('GET', /\/namespaces\/circleci-server$/, silence);
  const running = scenario.start();
  await scenario.api.received('GET /api/v1/namespaces/circleci-server');
  const asked = performance.now();
  running.process.kill('SIGINT');
  const end = await running.end;
  expect(performance.now() - asked).toBeLessThan(5000);
  expect(end.report?.error?.code).toBe('cancelled');
});

test('a signal ends a command that goes on', async () => {
  await using scenario = await Scenario.begin();
  const { api, postgresql } = scenario;
  let started: () => void = () => undefined;
  const psql = new Promise<void>((resolve) => (started = resolve));
  api.program = (execution) => {
    if (!execution.command.includes('psql')) return postgresql.program(execution);
    started();
    return 'never';
  };
  const running = scenario.start();
  await psql;
  const asked = performance.now();
  running.process.kill('SIGINT');
  const end = await running.end;
  expect(performance.now() - asked).toBeLessThan(5000);
  expect(end.exitCode).toBe(1);
});

test('a signal ends the pauses while the API server is away', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('GET', /\/version$/, hangUp);
  const running = scenario.start();
  await running.logged("Can't read the API server's version");
  const asked = performance.now();
  running.process.kill('SIGINT');
  const end = await running.end;
  expect(performance.now() - asked).toBeLessThan(3000);
  expect(end.exitCode).toBe(1);
});

test('a second signal ends the run at once, whatever it waits for', async () => {
  await using scenario = await withEndlessProbes();
  // A write is waited for, also by a run that was cancelled.
  scenario.api.answer('DELETE', /probe-upgrade-/, silence);
  const running = scenario.start({ probes: 'pods' });
  await scenario.api.received(`GET ${pods}/postgres-upgrade-probe-upgrade-`);
  running.process.kill('SIGINT');
  await scenario.api.received(`DELETE ${pods}/postgres-upgrade-probe-upgrade-`);
  const asked = performance.now();
  running.process.kill('SIGTERM');
  const exitCode = await new Promise((resolve) => running.process.on('exit', resolve));
  expect(performance.now() - asked).toBeLessThan(5000);
  expect(exitCode).toBe(1);
  await expect(running.end).rejects.toThrow('group "Gather facts" is never closed');
});

test('an upgrade that is cancelled during the checks does not begin', async () => {
  await using scenario = await Scenario.begin();
  const { api } = scenario;
  const running = scenario.start({ mode: 'upgrade', confirm: 'circleci-server' });
  api.answer('GET', /\/volumesnapshotclasses$/, (_response, proceed) => {
    running.process.kill('SIGINT');
    void running.logged('Cancelled: ending the run in order').then(proceed);
  });
  const end = await running.end;
  expect(end.exitCode).toBe(1);
  expect(end.report?.error?.code).toBe('cancelled');
  expect(api.writes).toEqual([]);
});

test('a run whose log nobody reads any more ends, since its runner is gone', async () => {
  await using scenario = await withEndlessProbes();
  const { process, end } = scenario.start({ probes: 'pods' });
  // It can't write a report any more.
  end.catch(() => undefined);
  await scenario.api.received(`GET ${pods}/postgres-upgrade-probe-upgrade-`);
  const ended = once(process, 'exit');
  process.stdout?.destroy();
  process.stderr?.destroy();
  process.kill('SIGINT');
  expect(await ended).toEqual([1, null]);
});
