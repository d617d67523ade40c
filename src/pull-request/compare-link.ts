import type { GitHub } from '../ports/github.ts';
import { emptySection } from './markers.ts';

/** Where a person opens the pull request with one click, with our title and markers filled in. */
export function compareLink(github: GitHub, base: string, branch: string, title: string): string {
  const [from, to] = [base, branch].map((name) => name.split('/').map(encodeURIComponent).join('/'));
  const query = new URLSearchParams({ expand: '1', title, body: emptySection(title) });
  return `${github.serverUrl}/${github.repository}/compare/${from ?? ''}...${to ?? ''}?${query.toString()}`;
}
