/** Shell files that are shipped beside the bundle, and lie in src/job before it is built. */
export interface Scripts {
  /** Runs in the upgrade Job, by file name. */
  readonly job: Readonly<Record<string, string>>;
  /** Text of room.awk. */
  readonly room: string;
  /** Runs in the probe pods. */
  readonly probe: string;
  /** Runs in the pod that replays the dump and restore. */
  readonly replay: ReplayScripts;
}

/** Of the pod that replays. */
export interface ReplayScripts {
  /** Text of replay.sh. */
  readonly replay: string;
  /** Text of confine.pl. */
  readonly confine: string;
  /** Text of literals.awk. */
  readonly literals: string;
}
