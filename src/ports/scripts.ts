/** Shell files that are shipped beside the bundle, and lie in src/job before it is built. */
export interface Scripts {
  /** Runs in the upgrade Job, by file name. */
  readonly job: Readonly<Record<string, string>>;
  /** Text of room.awk. */
  readonly room: string;
  /** Runs in the probe pods. */
  readonly probe: string;
  /** Runs in the pod of the restore test. */
  readonly restoreTest: RestoreTestScripts;
}

/** Of the restore test. */
export interface RestoreTestScripts {
  /** Text of restore-test.sh. */
  readonly script: string;
  /** Text of confine.pl. */
  readonly confine: string;
  /** Text of literals.awk. */
  readonly literals: string;
}
