import { expect, test } from '@jest/globals';
import { findServer } from '../../../src/modes/check-server.ts';
import { readStatus } from '../../../src/modes/status.ts';
import type { ClusterModeContext, Progress } from '../../../src/modes/mode.ts';
import { valuesUpdate } from '../../../src/pull-request/values-update.ts';
import { Timeline } from '../../../src/report/timeline.ts';
import { withoutLease } from '../../../src/ports/cluster.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeCrypto } from '../fake-crypto.ts';
import { FakeRunner } from '../fake-runner.ts';
import { cluster, inputs, serverContainer, statefulSet } from '../objects.ts';

const mirror = 'registry.example.com/mirror/server-postgres';
const mirrored = statefulSet({ containers: [serverContainer({ image: `${mirror}:12.16` })] });
const serving = `${mirror}:14.22.4094-4922444`;

test('a server from a mirror is upgraded with images of that mirror, in the log, the report and values.yaml', async () => {
  const [given, clock, runner] = [inputs({ 'values-file': 'values.yaml' }), new FakeClock(), new FakeRunner()];
  const settings = valuesUpdate(given, given.servingImage, 'run-1');
  const progress: Progress = { findings: [], verdict: 'failed', results: { warnings: [] } };
  const { context } = await findServer({
    ...{ inputs: given, clock, runner, progress, runId: 'run-1', log: runner.log },
    ...{ signal: new AbortController().signal, timeline: new Timeline(clock), crypto: new FakeCrypto() },
    cluster: withoutLease(cluster(mirrored)),
    pullRequest: settings && { github: {}, settings },
  } as unknown as ClusterModeContext);
  expect(context.inputs.servingImage.reference).toBe(serving);
  expect(context.inputs.upgradeImage).toBe(`${mirror}-upgrade:12-14`);
  expect(context.pullRequest?.settings.image).toBe(serving);
  const { text = '' } =
    context.pullRequest?.settings.edit('postgresql:\n  image:\n    registry: cciserver.azurecr.io\n    tag: 12.16\n') ??
    {};
  expect(text).toContain('registry: registry.example.com\n');
  expect(progress.inputs?.servingImage.reference).toBe(serving);
  expect(runner.log.text).toContain(
    "Both images come from registry.example.com/mirror, as the server's own image does.",
  );
});

test('the status of a server from a mirror names the image of that mirror', async () => {
  const outside = { cluster: cluster(mirrored), inputs: inputs(), crypto: new FakeCrypto(), runner: new FakeRunner() };
  const { status, inputs: now } = await readStatus(outside);
  expect([status.state, now.servingImage.reference]).toEqual(['not-started', serving]);
});
