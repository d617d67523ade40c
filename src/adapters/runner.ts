import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as core from '@actions/core';
import { describe } from '../common/errors.ts';
import { inputName } from '../common/input-name.ts';
import type { BareRunner } from '../redaction/redacted-runner.ts';
import { logText, logTitle } from '../text/log-text.ts';
import type { Environment } from './environment.ts';

const log: BareRunner['log'] = {
  info: (line) => {
    core.info(logText(line));
  },
  debug: (line) => {
    core.debug(logText(line));
  },
  async group(title, body) {
    core.startGroup(logTitle(title));
    try {
      return await body();
    } finally {
      core.endGroup();
    }
  },
  annotate(level, title, message, place) {
    const where = place === undefined ? {} : { file: logTitle(place.file), startLine: place.line };
    core[level](logText(message), { title: logTitle(title), ...where });
  },
};

/** The runner by its toolkit (@actions/core). */
export function githubRunner(environment: Environment): BareRunner {
  return {
    log,
    // As the toolkit does it, which would look for it in the environment of the process.
    input: (name) => environment.get(`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`).trim(),
    inputNames: () =>
      environment.names.flatMap((name) => (name.startsWith('INPUT_') ? [name.slice(6).toLowerCase()] : [])),
    mask(line) {
      core.setSecret(line);
    },
    output(name, value) {
      core.setOutput(inputName(name), value);
    },
    async summarize(markdown) {
      try {
        await core.summary.addRaw(markdown, true).write();
      } catch (error) {
        log.info(`Could not write the job summary: ${describe(error)}`);
      }
    },
    fail() {
      process.exitCode = core.ExitCode.Failure;
    },
    environment: environment.get,
    saveState(name, value) {
      core.saveState(name, value);
    },
    state: (name) => environment.get(`STATE_${name}`),
    writeReport: (name, content) => writeJson(environment.get('RUNNER_TEMP') || tmpdir(), name, content),
  };
}

/** Writes a file that only the process's user can read; answers its path. */
export async function writeJson(folder: string, name: string, content: unknown): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}

/** Comes when all that was logged has been taken by whoever reads it: what a pipe has no room for is written later, and an exit would drop it. */
export async function logWritten(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdout.write('', () => {
      resolve();
    });
  });
}
