import type { FileLine } from '../common/errors.ts';
import type { OutputName } from '../common/outputs.ts';

export type AnnotationLevel = 'notice' | 'warning' | 'error';

/**
 * What a run notes for its post step: that it is not the first process of the
 * step (`isPost`), that it was about to change something (`began`) or to make a copy (`rehearsed`), and its verdict (`ended`).
 */
export type StateName = 'isPost' | 'began' | 'rehearsed' | 'ended';

/** A secret that stays in what is told, and why: to mask it would make everything else unreadable. */
export interface UnmaskedSecret {
  /** What it is, for people. */
  readonly name: string;
  readonly why: 'short' | 'common';
}

/** What is known of a secret besides its value. */
export interface SecretOptions {
  /** For people; without it nobody is told that the secret can't be masked. */
  readonly name?: string | undefined;
  /** Names that are told anyway, such as the namespace's. */
  readonly among?: readonly string[];
}

/** Where the run tells people what it does: the workflow run's log. All that it is given is redacted. */
export interface Log {
  info(line: string): void;
  debug(line: string): void;
  /** A foldable part of the log; closed also when `body` throws. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  /** With a place, GitHub shows it there too, among a pull request's changes. */
  annotate(level: AnnotationLevel, title: string, message: string, place?: FileLine): void;
  /**
   * The text without secrets, as it would be told, each line by itself; redacted again, it stays as it is. For what is cut afterwards, since half
   * of a secret is not found any more, and for what is compared with what was written earlier.
   */
  redact(text: string): string;
}

/** The runner that runs the action. All that it is given to tell or to keep is redacted. */
export interface Runner {
  readonly log: Log;
  /** Text of an input, '' when it is not given. */
  input(name: string): string;
  /** Names of all inputs that the workflow gives, in lower case, also of those that the action does not have. */
  inputNames(): readonly string[];
  /** Takes a secret out of everything that is told from here on, in each form that it may have; each of its lines where it has several. */
  mask(secret: string, options?: SecretOptions): void;
  /** The named secrets that could not be masked. */
  unmasked(): readonly UnmaskedSecret[];
  output(name: OutputName, value: string): void;
  /** Adds Markdown to the job summary. A failure to write it is logged, never thrown. */
  summarize(markdown: string): Promise<void>;
  /** Ends the step as failed. */
  fail(): void;
  environment(name: string): string;
  /** Notes something for the post step, at once: it is kept also when the process is killed right after. */
  saveState(name: StateName, value: string): void;
  /** What the step noted for its post step; '' when it did not, and always in the step itself. */
  state(name: StateName): string;
  /** Writes a file of JSON for later steps into the runner's temporary directory; answers its path. */
  writeReport(name: string, content: unknown): Promise<string>;
}
