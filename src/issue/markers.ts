import { z } from 'zod';
import { findMarked, marked, marker, markerData } from '../github/markers.ts';

const name = 'circleci-server-postgresql-precheck';

const statuses = z.record(z.string(), z.string());

const issueData = z.object({
  namespace: z.string(),
  uid: z.string(),
  /** Number of the last change that was told in a comment. */
  change: z.number(),
  red: statuses,
  others: statuses,
});

const changeData = z.object({ change: z.number(), red: statuses });

/** What the issue's text says that it knows, for the next run. */
export type IssueData = z.infer<typeof issueData>;

/** What a comment has told. */
export type ChangeData = z.infer<typeof changeData>;

/** Our part of an issue's text, and what people wrote around it. */
export interface IssueText {
  readonly before: string;
  readonly after: string;
  readonly data: IssueData;
}

export function issuePart(data: IssueData, lines: readonly string[]): string {
  return marked(name, data, lines);
}

/** Undefined for a text that is none of ours, or has lost a marker. */
export function readIssue(body: string): IssueText | undefined {
  const found = findMarked(name, body);
  const data = issueData.safeParse(found?.data);
  return found === undefined || !data.success
    ? undefined
    : { before: found.before, after: found.after, data: data.data };
}

export function changeMarker(data: ChangeData): string {
  return marker(name, 'change', data);
}

/** Undefined for a comment that tells no change. */
export function readChange(body: string): ChangeData | undefined {
  const data = changeData.safeParse(markerData(name, 'change', body));
  return data.success ? data.data : undefined;
}
