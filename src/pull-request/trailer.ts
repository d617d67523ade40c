const versionKey = 'Postgresql-Upgrade';
const blobKey = 'Postgresql-Upgrade-Blob';

/** What the last lines of one of our commit messages say. */
export interface Trailer {
  readonly version: string;
  /** SHA of the values file as we wrote it: a commit that was amended with our message kept holds another one. */
  readonly blob: string;
}

export function commitMessage(path: string, image: string, { version, blob }: Trailer): string {
  return [
    `Set PostgreSQL of CircleCI Server to ${version}`,
    '',
    `${path} names the image of PostgreSQL after the upgrade from PostgreSQL 12 to PostgreSQL 14:`,
    image,
    '',
    `${versionKey}: ${version}`,
    `${blobKey}: ${blob}`,
  ].join('\n');
}

/** Undefined for a commit that is not ours. */
export function trailerOf(message: string): Trailer | undefined {
  const last =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  const value = (key: string) => new RegExp(`^${key}: (\\S+)$`, 'm').exec(last.replaceAll('\r', ''))?.[1];
  const [version, blob] = [value(versionKey), value(blobKey)];
  return version === undefined || blob === undefined ? undefined : { version, blob };
}
