export interface Match {
  /** `GET /repos/{owner}/{repo}` */
  readonly route: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Parameters that may hold slashes, encoded or not. */
const long = new Set(['ref', 'path', 'branch', 'basehead']);

/** Which of the routes a request is for; the one with the fewest parameters wins. */
export function routeOf(routes: readonly string[], method: string, path: string): Match | undefined {
  const names = (route: string) => [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const matches = routes.flatMap((route): Match[] => {
    const [verb = '', template = ''] = route.split(' ');
    if (verb !== method) return [];
    const pattern = template.replace(/\{(\w+)\}/g, (_, name: string) => (long.has(name) ? '(.+)' : '([^/]+)'));
    const found = new RegExp(`^${pattern}$`).exec(path);
    if (found === null) return [];
    const values = found.slice(1).map(decodeURIComponent);
    return [{ route, parameters: Object.fromEntries(names(route).map((name, i) => [name, values[i] ?? ''])) }];
  });
  return matches.sort((a, b) => names(a.route).length - names(b.route).length)[0];
}
