import { list, type Input, type Spec } from './input-types.ts';

/** Of a user or an app ("name[bot]"): letters, digits and single hyphens; an enterprise's managed users have "_" and a short code at the end. */
const login = /^@?[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?(\[bot\])?$/;
const team = /^@?([A-Za-z0-9-]+\/)?[A-Za-z0-9_-]{1,100}$/;

const withoutAt = (word: string) => word.replace(/^@/, '');

/** Logins of users, as GitHub's API takes them, also where people write "@" before them. */
export function logins(spec: Spec): Input<readonly string[]> {
  return list('login', login, 'the login of a user', spec, withoutAt);
}

/** Slugs of teams, as GitHub's API takes them: `platform`, also where people write `@organization/platform`. */
export function teams(spec: Spec): Input<readonly string[]> {
  return list('team', team, "a team's slug", spec, (word) => withoutAt(word).replace(/^[^/]*\//, ''));
}
