import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as core from '@actions/core';
import { describe } from '../errors.ts';
import { inputName } from '../inputs.ts';
import type { Log, Runner } from '../ports/runner.ts';
import { logText, logTitle } from '../text/log-text.ts';

const log: Log = {
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
export const githubRunner: Runner = {
  log,
  input: (name) => core.getInput(name),
  inputNames: () =>
    Object.keys(process.env).flatMap((name) => (name.startsWith('INPUT_') ? [name.slice(6).toLowerCase()] : [])),
  mask(secret) {
    // An empty or very short mask would star out half the log.
    if (secret.length > 3) core.setSecret(secret);
  },
  output(name, value) {
    core.setOutput(inputName(name), value);
  },
  async summarize(markdown) {
    try {
      await core.summary.addRaw(markdown, true).write();
    } catch (error) {
      log.info(`The job summary could not be written: ${describe(error)}`);
    }
  },
  fail() {
    process.exitCode = core.ExitCode.Failure;
  },
  environment: (name) => process.env[name] ?? '',
  saveState(name, value) {
    core.saveState(name, value);
  },
  state: (name) => core.getState(name),
  async writeReport(name, content) {
    const file = path.join(process.env['RUNNER_TEMP'] ?? tmpdir(), name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  },
};

/** Comes when all that was logged has been taken by whoever reads it: what a pipe has no room for is written later, and an exit would drop it. */
export async function logWritten(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdout.write('', () => {
      resolve();
    });
  });
}
