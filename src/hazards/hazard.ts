import type { Known } from '../common/known.ts';

/**
 * Something in the server that the upgrade fails on, loses, or makes slow: a row of the table of hazards.
 * A query answers with three columns of text: `object` (what has it), `detail` (why it is one) and `remedy` (commands for psql
 * that remove it, or an empty text where only a person can choose them). No row is no hazard.
 * Decision: docs/decisions/0018-checks.md
 */
export interface Hazard {
  readonly id: string;
  /** Its subject: it reads right beside each status. */
  readonly title: string;
  /** What is so where it is absent. */
  readonly expected: string;
  /** What happens where it is present. */
  readonly why: string;
  /** `failed` where the upgrade or the new server fails on it, or data is lost or unreadable; `warning` where it costs time, or where people should know. */
  readonly severity: 'failed' | 'warning';
  /** What pg_upgrade, the Job or the new server says to it, where known. */
  readonly says?: string;
  /** When that is said: by the checks of pg_upgrade, by what it does after them, by the Job before both, by the new server, or never. */
  readonly shows: 'check' | 'upgrade' | 'job' | 'start' | 'never';
  /** Asked once, in template1. */
  readonly server?: string;
  /** Asked in each database that accepts connections. */
  readonly database?: string;
  /** SELECTs: `database` is asked only if one of them finds a row. They must find one wherever `database` does, in less time. */
  readonly onlyIfExists?: readonly string[];
  /** Runs before `database`, in the same session: what can't be asked by a SELECT alone. */
  readonly before?: string;
  /** The `detail` of rows that only warn, whatever the severity: what could not be asked there, and what finds it instead. */
  readonly doubt?: string;
  /** What to do, in words. */
  readonly advice: string;
  /** Whether a person has to look which locales the images have: a finding then has the commands for it. */
  readonly needsLocales?: true;
}

/** What one query found. */
export interface Found {
  /** How many there are, of which `rows` are the first. */
  readonly total: number;
  readonly rows: readonly HazardRow[];
}

interface HazardRow {
  readonly object: string;
  readonly detail: string;
  readonly remedy: string;
}

/** By the id of the hazard. */
export type Answers = Readonly<Record<string, Known<Found>>>;

export interface HazardFacts {
  readonly server: Known<Answers>;
  /** By database; without template0 while it accepts no connections. */
  readonly databases: Readonly<Record<string, Known<Answers>>>;
}
