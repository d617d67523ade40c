import type { OutputName } from '../outputs.ts';

export type AnnotationLevel = 'notice' | 'warning' | 'error';

/** A line of a file, from the root of the repository. */
export interface FileLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/**
 * What a run notes for its post step: that it is not the first process of the
 * step (`isPost`), that it was about to change something (`began`), and its verdict (`ended`).
 */
export type StateName = 'isPost' | 'began' | 'ended';

/** Where the run tells people what it does: the workflow run's log. */
export interface Log {
  info(line: string): void;
  debug(line: string): void;
  /** A foldable part of the log; closed also when `body` throws. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  /** With a place, GitHub shows it there too, among a pull request's changes. */
  annotate(level: AnnotationLevel, title: string, message: string, place?: FileLine): void;
}

/** The runner that runs the action. */
export interface Runner {
  readonly log: Log;
  /** Text of an input, '' when it is not given. */
  input(name: string): string;
  /** Names of all inputs that the workflow gives, in lower case, also of those that the action does not have. */
  inputNames(): readonly string[];
  /** Hides a value in everything that is logged from here on. */
  mask(secret: string): void;
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
  /** Writes a file for later steps into the runner's temporary directory; answers its path. */
  writeReport(name: string, content: string): Promise<string>;
}
