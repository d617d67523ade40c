/** A hazard as it comes about, by psql as a superuser, and its harmless neighbour. */
export interface Fixture {
  readonly check: string;
  /** In a database of its own; or in the whole server. */
  readonly where: 'database' | 'server';
  /** What has the hazard. */
  readonly fails: string;
  /** What looks like it, and has none. */
  readonly passes?: string;
  /** What the evidence names. */
  readonly evidence: RegExp;
  /** What a person does besides the commands of the remedy, where these can't do all of it. */
  readonly cure?: string;
  /** It keeps others from being asked, so it is made, seen and cured alone. */
  readonly alone?: true;
  /** What pg_upgrade 14 says in its output or logs, where it dies of it. */
  readonly dies?: RegExp;
  /** What the restore says, where a check of pg_upgrade finds it in another way and says other words. */
  readonly restoring?: RegExp;
}
