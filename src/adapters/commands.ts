import { StringDecoder } from 'node:string_decoder';
import { exec } from '@actions/exec';
import type { RunCommands } from '../ports/commands.ts';
import { environmentOfCommands } from './environment.ts';

/** Milliseconds from the request to end until the end is forced. */
const grace = 10_000;

/** Milliseconds for which the output is read on that a process holds open which the commands left. */
const patience = 2000;

/** Characters. A longer line is left out: of what is cut, half a secret could stay. */
const longestLine = 64 * 1024;
const tooLong = `(a line of more than ${String(longestLine)} characters)`;

/** Holds the script on its way to bash: every user of the machine can read the arguments of a process. */
const carrier = 'POSTGRESQL_UPGRADE_SCRIPT';

/** Prints the number of its process, then becomes the commands. As the shell of a workflow's step, it ends at the first that fails. */
const inner = `echo "${carrier}=$$"; script=$${carrier}; unset ${carrier}; eval "$script"`;

/** A file that BASH_ENV names may print lines before. */
const groupLine = new RegExp(`^${carrier}=(\\d+)$`);

/**
 * A process group of its own, so that the commands can be ended together with all that they have started. Ctrl-C in a terminal goes to the action alone. What the
 * outer bash says itself (that a process was terminated) is for nobody. The commands read nothing: to end a pipe that they have already left is an error which
 * @actions/exec does not catch.
 */
const outer =
  'trap "" INT; exec 3>&2 2>/dev/null; set -m; bash --noprofile --norc -eo pipefail -c "$1" </dev/null 2>&3 3>&- & exec 3>&-; wait "$!"';

/** What is known of commands while they run. */
interface Running {
  /** Number of their process group. */
  group?: number;
  endedBy?: 'limit' | 'cancellation';
  force?: NodeJS.Timeout;
}

/** Decision: docs/decisions/0033-gates-and-hooks.md */
export const runCommands: RunCommands = async ({ script, variables, limit, signal, onLine }) => {
  const running: Running = {};
  const stdout = new Lines((line) => {
    const [, group] = running.group === undefined ? (groupLine.exec(line) ?? []) : [];
    if (group === undefined) onLine(line);
    else takeGroup(running, Number(group));
  });
  const stderr = new Lines(onLine);
  const timer = setTimeout(() => {
    end(running, 'limit');
  }, limit);
  const cancel = () => {
    end(running, 'cancellation');
  };
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted === true) cancel();
  try {
    const exitCode = await exec('bash', ['--noprofile', '--norc', '-c', outer, 'bash', inner], {
      env: { ...environmentOfCommands(process.env), ...variables, [carrier]: script },
      silent: true,
      ignoreReturnCode: true,
      delay: patience,
      listeners: {
        stdout: (chunk) => {
          stdout.add(chunk);
        },
        stderr: (chunk) => {
          stderr.add(chunk);
        },
      },
    });
    stdout.close();
    stderr.close();
    // What failed must not run on against another server; what has ended well may have left something on purpose.
    if (exitCode !== 0) sendTo(running.group, 'SIGKILL');
    return running.endedBy === undefined ? { exitCode } : { endedBy: running.endedBy };
  } finally {
    clearTimeout(timer);
    clearTimeout(running.force);
    signal?.removeEventListener('abort', cancel);
    if (running.endedBy !== undefined) sendTo(running.group, 'SIGKILL');
  }
};

function end(running: Running, by: 'limit' | 'cancellation'): void {
  if (running.endedBy !== undefined) return;
  running.endedBy = by;
  sendTo(running.group, 'SIGTERM');
  running.force = setTimeout(() => {
    sendTo(running.group, 'SIGKILL');
  }, grace);
}

function takeGroup(running: Running, group: number): void {
  running.group = group;
  if (running.endedBy !== undefined) sendTo(running.group, 'SIGTERM');
}

/** To all processes of the group that are left. */
function sendTo(group: number | undefined, signal: NodeJS.Signals): void {
  // Of 0 and 1 the negative is another group, or everybody.
  if (group === undefined || !Number.isInteger(group) || group < 2) return;
  try {
    process.kill(-group, signal);
  } catch {
    // None is left.
  }
}

/** Makes lines of what comes in pieces. */
class Lines {
  private readonly decoder = new StringDecoder('utf8');
  private begun = '';
  private isTooLong = false;

  constructor(private readonly onLine: (line: string) => void) {}

  add(chunk: Buffer): void {
    this.take(this.decoder.write(chunk));
  }

  /** The last line may have no end. */
  close(): void {
    this.take(this.decoder.end());
    if (this.begun !== '') this.tell();
  }

  private take(text: string): void {
    const [first = '', ...others] = text.split('\n');
    this.grow(first);
    for (const other of others) {
      this.tell();
      this.grow(other);
    }
  }

  private grow(text: string): void {
    this.isTooLong ||= this.begun.length + text.length > longestLine;
    this.begun = this.isTooLong ? tooLong : this.begun + text;
  }

  private tell(): void {
    const line = this.begun;
    this.begun = '';
    this.isTooLong = false;
    this.onLine(line);
  }
}
