import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { runCommands } from '../../../src/adapters/commands.ts';
import type { Commands } from '../../../src/ports/commands.ts';

jest.setTimeout(30_000);

async function run(script: string, more: Partial<Commands> = {}) {
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
  };
  const end = await runCommands({ script, variables: {}, limit: 20_000, onLine, ...more });
  return { end, lines };
}

/** Whether the process is there. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that ended and was not yet waited for is still listed.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** What a signal kills ends a moment later. It would have slept for longer than the test's limit. */
async function gone(pid: number): Promise<void> {
  while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('commands on the runner', () => {
  test('end with their exit code, and tell each line of both outputs', async () => {
    const { end, lines } = await run('echo one\necho two >&2\nprintf three\nexit 5');
    expect(end).toEqual({ exitCode: 5 });
    expect(lines.sort()).toEqual(['one', 'three', 'two']);
  });

  test('end at the first that fails, also within a pipe', async () => {
    expect(await run('echo a\nfalse\necho b')).toEqual({ end: { exitCode: 1 }, lines: ['a'] });
    expect((await run('false | cat')).end).toEqual({ exitCode: 1 });
  });

  test('get their variables, and no input', async () => {
    const { end, lines } = await run('cat\necho "$NAME of $# ${POSTGRESQL_UPGRADE_SCRIPT-none}"', {
      variables: { NAME: 'a $(name) "with" quotes' },
    });
    expect([end, lines]).toEqual([{ exitCode: 0 }, ['a $(name) "with" quotes of 0 none']]);
  });

  test('have no pipe as input, which could break when they end', async () => {
    const { lines } = await run('[ /dev/fd/0 -ef /dev/null ] && echo nothing');
    expect(lines).toEqual(['nothing']);
  });

  test('are in no argument of a process', async () => {
    const { lines } = await run('# hunter2-of-the-test\ntr "\\0" " " </proc/$$/cmdline\necho\nps -ef || true');
    expect(lines.join('\n')).not.toContain('hunter2-of-the-test');
  });

  test.each([
    ['the limit', () => ({ limit: 1500 }), 'limit'],
    ['a cancellation', () => ({ signal: AbortSignal.timeout(1500) }), 'cancellation'],
  ] as const)('are ended by %s together with what they have started', async (_what, more, endedBy) => {
    const { end, lines } = await run('sleep 60 &\necho $!\nwait', more());
    expect(end).toEqual({ endedBy });
    expect(lines).toEqual([expect.stringMatching(/^\d+$/)]);
    await gone(Number(lines[0]));
  });

  test('are ended at once by a cancellation that came before', async () => {
    const { end } = await run('sleep 60', { signal: AbortSignal.abort() });
    expect(end).toEqual({ endedBy: 'cancellation' });
  });

  test('leave nothing behind where they fail', async () => {
    const { end, lines } = await run('sleep 60 &\necho $!\nexit 1');
    expect(end).toEqual({ exitCode: 1 });
    await gone(Number(lines[0]));
  });

  test('are ended at the limit, whatever the start of bash prints', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'commands-')), 'start');
    writeFileSync(file, 'echo hello\necho 1\n');
    const { end, lines } = await run('sleep 60 &\necho $!\nwait', { limit: 1500, variables: { BASH_ENV: file } });
    expect(end).toEqual({ endedBy: 'limit' });
    expect(lines).toContain('hello');
    await gone(Number(lines.at(-1)));
    rmSync(path.dirname(file), { recursive: true });
  });

  test('do not hold up the run by what they leave in the background', async () => {
    const begun = performance.now();
    const { end, lines } = await run('sleep 60 &\necho $!');
    expect(end).toEqual({ exitCode: 0 });
    expect(performance.now() - begun).toBeLessThan(30_000);
    process.kill(Number(lines[0]));
  });

  test('tell no part of a line that is endless, and whole characters', async () => {
    const { lines } = await run(
      'head -c 200000 /dev/zero | tr "\\0" x\necho\nprintf "\\303"; sleep 0.2; printf "\\244\\n"',
    );
    expect(lines).toEqual(['(a line of more than 65536 characters)', 'ä']);
  });
});

describe('their environment', () => {
  const given = {
    INPUT_KUBECONFIG: 'a',
    'INPUT_GITHUB-TOKEN': 'b',
    STATE_began: 'c',
    ACTIONS_RUNTIME_TOKEN: 'd',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'e',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'f',
    GITHUB_TOKEN: 'g',
    GH_ENTERPRISE_TOKEN: 'h',
    GITHUB_ENV: 'i',
    GITHUB_OUTPUT: 'j',
    GITHUB_PATH: 'k',
    GITHUB_STATE: 'l',
    GITHUB_STEP_SUMMARY: 'm',
    KUBECONFIG: 'n',
  };

  test("has what the workflow gave to the step, and nothing of the action's own", async () => {
    const before = { ...process.env };
    Object.assign(process.env, given, { CIRCLE_TOKEN: 'of the workflow', GITHUB_REPOSITORY: 'admins/server' });
    try {
      const { lines } = await run('env');
      const names = lines.map((line) => line.split('=')[0]);
      for (const name of Object.keys(given)) expect(names).not.toContain(name);
      expect(lines).toEqual(
        expect.arrayContaining(['CIRCLE_TOKEN=of the workflow', 'GITHUB_REPOSITORY=admins/server']),
      );
      expect(names).toContain('PATH');
    } finally {
      process.env = before;
    }
  });
});
