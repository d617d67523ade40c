import type { Finding } from '../findings/finding.ts';

/** What the prechecks came to, and where it is to be told. */
export interface IssueSettings {
  readonly namespace: string;
  /** UID of the namespace: the same name may be in several clusters. */
  readonly namespaceUid: string;
  /** The cluster, for people. */
  readonly cluster: string;
  /** Of all checks; none where PostgreSQL 14 serves already. */
  readonly findings: readonly Finding[];
  /** The least status that blocks the upgrade. */
  readonly failOn: 'failed' | 'warning';
  /** Given to the issue when it is opened. */
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  /** Address of the workflow run. */
  readonly runUrl: string;
}
