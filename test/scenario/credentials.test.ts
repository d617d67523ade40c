import { chmodSync, renameSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { Scenario } from './scenario.ts';
import { withoutMasks } from './workflow-commands.ts';

/** From the first call for the version on, only `next` is accepted; `meanwhile` brings it to where it will be found. */
function expireAtVersion({ api }: Scenario, next: string, meanwhile: () => void): void {
  api.answer(
    'GET',
    /\/version$/,
    (_response, proceed) => {
      api.token = next;
      meanwhile();
      proceed();
    },
    1,
  );
}

/** Whole or not at all, as those do it who rotate tokens. */
function replace(scenario: Scenario, name: string, content: string): void {
  renameSync(scenario.file(`${name}.new`, content), scenario.file(name, ''));
}

const credential = (token: string) =>
  JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } });

describe('credentials that expire while the run goes on are read again', () => {
  const next = 'the-token-of-the-next-hour';

  test.concurrent('a token file', async () => {
    await using scenario = await Scenario.begin();
    const tokenFile = scenario.file('token', `${scenario.api.token}\n`);
    expireAtVersion(scenario, next, () => {
      replace(scenario, 'token', `${next}\n`);
    });
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ user: { tokenFile } })) });
    expect(end.errors).toEqual([]);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toContain(`::add-mask::${next}\n`);
    expect(withoutMasks(end.stdout)).not.toContain(next);
    expect(scenario.api.lines.filter((line) => line === 'GET /version')).toHaveLength(2);
    expect(scenario.api.calls.some((c) => c.path.endsWith('/exec'))).toBe(true);
  });

  test.concurrent('a token file beside the kubeconfig, by its name alone', async () => {
    await using scenario = await Scenario.begin();
    scenario.file('token', `${scenario.api.token}\n`);
    const kubeconfig = scenario.file('beside', scenario.kubeconfig({ user: { tokenFile: 'token' } }));
    const end = await scenario.run({ kubeconfig });
    expect(end.errors).toEqual([]);
    expect(end.exitCode).toBe(0);
  });

  test.concurrent('a program, also one that said that its token is good for long', async () => {
    await using scenario = await Scenario.begin();
    const answer = JSON.parse(credential(scenario.api.token)) as { status: object };
    const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString();
    scenario.file('answer', JSON.stringify({ ...answer, status: { ...answer.status, expirationTimestamp } }));
    const program = scenario.file('login', '#!/bin/sh\ncd "$(dirname "$0")" && echo x >>runs && cat answer\n');
    chmodSync(program, 0o700);
    expireAtVersion(scenario, next, () => {
      replace(scenario, 'answer', credential(next));
    });
    const user = {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: program, interactiveMode: 'Never' },
    };
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ user })) });
    expect(end.errors).toEqual([]);
    expect(end.exitCode).toBe(0);
  });

  test.concurrent('the kubeconfig itself', async () => {
    await using scenario = await Scenario.begin();
    const kubeconfig = scenario.file('renewed', scenario.kubeconfig());
    expireAtVersion(scenario, next, () => {
      replace(scenario, 'renewed', dump(scenario.kubeconfig({ user: { token: next } })));
    });
    const end = await scenario.run({ kubeconfig });
    expect(end.errors).toEqual([]);
    expect(end.exitCode).toBe(0);
  });
});

describe('credentials that have expired and have no successor', () => {
  test.concurrent.each([
    ['a token in the kubeconfig', undefined, 'the token of user "upgrader" of the kubeconfig'],
    ['a token file', 'token', 'the token in the file '],
  ])('%s is named, with what to do', async (_what, file, origin) => {
    await using scenario = await Scenario.begin();
    const user =
      file === undefined ? { token: scenario.api.token } : { tokenFile: scenario.file(file, scenario.api.token) };
    expireAtVersion(scenario, 'nobody-has-it', () => undefined);
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ user })) });
    expect(end.exitCode).toBe(1);
    expect(end.report?.error).toMatchObject({ code: 'unauthorized' });
    expect(end.report?.error?.message).toContain(`does not accept ${origin}`);
    expect(end.report?.error?.remedy.text).toMatch(/^Renew these credentials, with a lifetime longer than the upgrade/);
  });

  test.concurrent('a token file that is gone by then is named as gone', async () => {
    await using scenario = await Scenario.begin();
    const tokenFile = scenario.file('token', scenario.api.token);
    expireAtVersion(scenario, 'nobody-has-it', () => {
      renameSync(tokenFile, `${tokenFile}.old`);
    });
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ user: { tokenFile } })) });
    expect(end.exitCode).toBe(1);
    expect(end.report?.error?.code).toBe('unauthorized');
    expect(end.report?.error?.message).toMatch(/can't be read again: .*ENOENT/);
  });
});
