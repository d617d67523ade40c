// What a release changes in texts, and what must be so before it: without files, git or network.

/** The parts of a version. */
interface Version {
  readonly numbers: readonly [number, number, number];
  readonly prerelease: readonly string[];
}

/** The version of whatever is no release, in package.json and in dist/. */
export const unreleased = '0.0.0-unreleased';

const number = '(0|[1-9]\\d*)';
const word = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
/** Without build metadata, which would not tell two releases apart. Source: https://semver.org/spec/v2.0.0.html */
const semantic = new RegExp(`^${number}\\.${number}\\.${number}(?:-(${word}(?:\\.${word})*))?$`);

function parse(text: string): Version | undefined {
  const found = semantic.exec(text);
  if (found === null) return undefined;
  const [major, minor, patch] = found.slice(1, 4).map(Number) as [number, number, number];
  return { numbers: [major, minor, patch], prerelease: found[4]?.split('.') ?? [] };
}

/** Less than 0 where `a` comes before `b`. */
function compare(a: Version, b: Version): number {
  const at = a.numbers.findIndex((part, index) => part !== b.numbers[index]);
  if (at >= 0) return (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  return comparePrerelease(a.prerelease, b.prerelease);
}

function comparePrerelease(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  const [left, right] = [a[at], b[at]];
  if (left === undefined || right === undefined) return a.length - b.length;
  const isNumber = (text: string) => /^\d+$/.test(text);
  if (isNumber(left) && isNumber(right)) return Number(left) - Number(right);
  if (isNumber(left) !== isNumber(right)) return isNumber(left) ? -1 : 1;
  return left < right ? -1 : 1;
}

/**
 * The tags that a release sets.
 * @param tags all that there are
 * @returns `own`, and `moving`, which always names the newest release of its major; a prerelease moves none
 * @throws Error for what is no version, or not greater than every release before
 */
export function tagsOf(version: string, tags: readonly string[]): { own: string; moving: string | undefined } {
  const parsed = parse(version);
  if (parsed === undefined) throw new Error(`"${version}" is no version such as 0.1.0 or 1.0.0-rc.1.`);
  const before = tags.flatMap((tag) => (tag.startsWith('v') ? (parse(tag.slice(1)) ?? []) : []));
  const latest = before.sort(compare).at(-1);
  if (latest !== undefined && compare(parsed, latest) <= 0)
    throw new Error(`${version} is not greater than the last release, ${textOf(latest)}.`);
  return { own: `v${version}`, moving: isPrerelease(version) ? undefined : `v${String(parsed.numbers[0])}` };
}

function textOf({ numbers, prerelease }: Version): string {
  return [numbers.join('.'), ...(prerelease.length === 0 ? [] : [prerelease.join('.')])].join('-');
}

export function isPrerelease(version: string): boolean {
  return version.includes('-');
}

const heading = '## Unreleased';

/**
 * The changelog in which what was unreleased is the section of a version.
 * @param date such as 2026-11-30
 * @throws Error where nothing is unreleased, or the version has a section already
 */
export function releasedChangelog(text: string, version: string, date: string): string {
  if (sectionOf(text, version) !== undefined) throw new Error(`CHANGELOG.md has a section ${version} already.`);
  const content = sectionOf(text, 'Unreleased');
  if (content === undefined) throw new Error(`CHANGELOG.md has no line "${heading}".`);
  if (!/^- /m.test(content)) throw new Error(`CHANGELOG.md says nothing under "${heading}": write what users notice.`);
  return text.replace(`${heading}\n`, () => `${heading}\n\n## ${version} - ${date}\n`);
}

/**
 * What the changelog says of a version, for the release's page.
 * @throws Error where it says nothing
 */
export function notesOf(text: string, version: string, repository: string, commit: string): string {
  const content = sectionOf(text, version);
  if (content === undefined) throw new Error(`CHANGELOG.md has no section ${version}.`);
  return [
    `Pin the action by the commit of this release:`,
    '',
    '```yaml',
    `- uses: ${pinned(repository, commit, version)}`,
    '```',
    '',
    content,
    '',
  ].join('\n');
}

function sectionOf(text: string, title: string): string | undefined {
  const sections = text.split(/^(?=## )/m);
  const isOf = (section: string) => [`## ${title}`, `## ${title} - `].some((start) => isStart(section, start));
  return sections.find(isOf)?.split('\n').slice(1).join('\n').trim();
}

function isStart(section: string, start: string): boolean {
  const [line = ''] = section.split('\n');
  return start.endsWith(' - ') ? line.startsWith(start) : line === start;
}

function pinned(repository: string, commit: string, version: string): string {
  return `${repository}@${commit} # v${version}`;
}

/** Stands for the action's repository, and for the commit of a release, until there is one. */
const placeholder = 'OWNER/REPOSITORY';

/** A page or an example that names this release: in `uses:` with the version, behind a space (for git) without. */
export function withPin(text: string, repository: string, commit: string, version: string): string {
  const name = `(?:${placeholder}|${repository.replaceAll('.', '\\.')})`;
  const old = '(?:COMMIT|[0-9a-f]{40})';
  return text
    .replace(
      new RegExp(`(uses: )${name}@${old}(?: # .*)?$`, 'gm'),
      (_, uses: string) => uses + pinned(repository, commit, version),
    )
    .replace(new RegExp(`${name} ${old}\\b`, 'g'), `${repository} ${commit}`)
    .replaceAll(placeholder, repository);
}

/**
 * A file of dist/ with another version in it.
 * @throws Error where the version before is not there
 */
export function withVersion(text: string, before: string, after: string): string {
  if (!text.includes(JSON.stringify(before))) throw new Error(`The version ${before} is not there.`);
  return text.replaceAll(JSON.stringify(before), JSON.stringify(after));
}

/** A check of a commit, as GitHub's API tells it. */
interface CheckRun {
  readonly name: string;
  readonly conclusion: string | null;
}

/** Names of the checks that did not succeed. */
export function notGreen(runs: readonly CheckRun[], required: readonly string[]): string[] {
  const isGreen = (name: string) => {
    const ofName = runs.filter((run) => run.name === name);
    return ofName.length > 0 && ofName.every(({ conclusion }) => conclusion === 'success');
  };
  return required.filter((name) => !isGreen(name));
}
