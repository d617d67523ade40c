import { appendFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inputName } from '../common/input-name.ts';
import type { Clock } from '../ports/clock.ts';
import type { BareRunner } from '../redaction/redacted-runner.ts';
import { logText, logTitle } from '../text/log-text.ts';
import type { Environment } from './environment.ts';
import { githubRunner, writeJson } from './runner.ts';

export interface Terminal {
  readonly runner: BareRunner;
  /** Prints the outputs, unless they are in a file. */
  readonly listOutputs: () => void;
}

/**
 * Where no workflow runs the process: the log is for people, and holds no commands for a runner. Outputs and summary go into files where
 * GITHUB_OUTPUT and GITHUB_STEP_SUMMARY name some.
 * @param clock whose time of day, in UTC as everywhere in the report, begins each line of the log; undefined where no run begins, as for the help
 */
export function terminal(
  environment: Environment,
  clock: Pick<Clock, 'now'> | undefined,
  print: (line: string) => void = printLine,
): Terminal {
  const say = (text: string) => {
    const time = clock === undefined ? '' : `${clock.now().toISOString().slice(11, 19)}Z `;
    const lines = text.split('\n').map((line) => `${time}${line}`.trimEnd());
    print(lines.join('\n'));
  };
  const github = githubRunner(environment);
  const isSet = (name: string) => environment.get(name) !== '';
  /** The toolkit writes only into files that are there, as a runner makes them. */
  const made = (name: string) => {
    appendFileSync(environment.get(name), '');
  };
  const outputs = new Map<string, string>();
  const runner: BareRunner = {
    ...github,
    log: {
      info: (line) => {
        say(logText(line));
      },
      debug: (line) => {
        if (environment.get('RUNNER_DEBUG') === '1') say(`debug: ${logText(line)}`);
      },
      group: async (title, body) => {
        say(`▸ ${logTitle(title)}`);
        return await body();
      },
      annotate: (level, title, message, place) => {
        const where = place === undefined ? '' : ` (${logTitle(place.file)}, line ${String(place.line)})`;
        say(`${level}: ${logTitle(title)}: ${logText(message)}${where}`);
      },
    },
    // There is no runner that would take it out; the redactor does.
    mask: () => undefined,
    output(name, value) {
      if (isSet('GITHUB_OUTPUT')) {
        made('GITHUB_OUTPUT');
        github.output(name, value);
      } else outputs.set(inputName(name), value);
    },
    async summarize(markdown) {
      if (!isSet('GITHUB_STEP_SUMMARY')) return;
      made('GITHUB_STEP_SUMMARY');
      await github.summarize(markdown);
    },
    // No post step follows.
    saveState: () => undefined,
    async writeReport(name, content) {
      // A directory of its own: another user of the machine may have put something in the place of a name that is known.
      const folder = environment.get('RUNNER_TEMP') || (await mkdtemp(path.join(tmpdir(), 'postgresql-upgrade-')));
      return await writeJson(folder, name, content);
    },
  };
  return {
    runner,
    listOutputs() {
      if (outputs.size > 0) print('▸ Outputs');
      for (const [name, value] of outputs) print(`${name}: ${logText(value)}`);
    },
  };
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
