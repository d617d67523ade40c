// GitHub's REST API over a bare git repository, checked against GitHub's own description of it.
// Decision: docs/decisions/0023-github-double.md
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { refuse, type Answer, type Routes, type State } from './answer.ts';
import type { BareRepository } from './bare-repository.ts';
import { Description } from './description.ts';
import { FaultQueue, type Fault } from './faults.ts';
import { gitRoutes } from './git-routes.ts';
import { answerQuery } from './graphql.ts';
import { issueRoutes } from './issue-routes.ts';
import { Listener } from './listener.ts';
import { Objects } from './objects.ts';
import { pullRoutes } from './pull-routes.ts';
import { line, parsed, read, unreadable, type Recorded } from './recorded.ts';
import { repositoryRoutes } from './repository-routes.ts';
import { routeOf, type Match } from './route.ts';
import { jobToken, type Token } from './token.ts';

export interface DoubleOptions {
  readonly repository?: string;
  readonly ownerType?: 'Organization' | 'User';
  /** `/api/v3` for a GitHub Enterprise Server. */
  readonly apiPath?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly host?: string;
  readonly port?: number;
  /** The address that clients use, when it is not the one that is listened on. */
  readonly publicUrl?: string;
}

const routes: Routes = { ...repositoryRoutes, ...gitRoutes, ...pullRoutes, ...issueRoutes };

export class GitHubDouble {
  readonly requests: Recorded[] = [];
  /** What did not keep to GitHub's description, on either side. */
  readonly violations: string[] = [];
  readonly tokens = new Map<string, Token>();
  readonly state: State;
  readonly apiPath: string;

  private readonly description = sharedDescription();
  private readonly faults = new FaultQueue();
  private readonly listener: Listener;
  private readonly options: DoubleOptions;
  /** Changes answers before they are checked; for the test of the check. */
  spoil: (route: string, answer: Answer) => Answer = (_, answer) => answer;

  onAnswered: (request: Recorded) => void = () => undefined;

  private constructor(git: BareRepository, options: DoubleOptions) {
    const [owner = '', name = ''] = (options.repository ?? 'octo-org/infrastructure').split('/');
    this.options = options;
    this.apiPath = options.apiPath ?? '';
    const ownerType = options.ownerType ?? 'Organization';
    const objects = new Objects(this.description, git, () => ({
      owner,
      name,
      ownerType,
      apiUrl: this.apiUrl,
      serverUrl: this.serverUrl,
    }));
    this.state = {
      git,
      objects,
      pullRequests: [],
      issues: [],
      comments: [],
      people: new Set(['ada', 'ben', 'sam']),
      teams: new Set(['platform']),
      repository: {
        owner,
        name,
        private: true,
        archived: false,
        actionsMayOpenPullRequests: true,
        drafts: true,
        issues: true,
        rules: [],
      },
    };
    this.listener = new Listener(options.tls, (request, response) =>
      this.serve(request, response).catch((error: unknown) => {
        this.violations.push(`the double broke: ${String(error)}`);
        response.destroy();
      }),
    );
  }

  static async start(git: BareRepository, options: DoubleOptions = {}): Promise<GitHubDouble> {
    const double = new GitHubDouble(git, options);
    await double.listener.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    return double;
  }

  async stop(): Promise<void> {
    await this.listener.close();
  }

  get port(): number {
    return this.listener.port;
  }

  get serverUrl(): string {
    const scheme = this.options.tls === undefined ? 'http' : 'https';
    return this.options.publicUrl ?? `${scheme}://127.0.0.1:${String(this.port)}`;
  }

  get apiUrl(): string {
    return `${this.serverUrl}${this.apiPath}`;
  }

  /** Puts a fault in the place of the next answers to a call. */
  play(method: string, path: RegExp, fault: Fault, times = 1): void {
    this.faults.add(method, path, fault, times);
  }

  /** `POST /repos/octo-org/infrastructure/pulls 201` for everything that changed something. */
  get writes(): string[] {
    return this.requests.filter((r) => !isRead(r) && r.status < 300).map(line);
  }

  /** Everything but reads, also what was refused. */
  get attempts(): string[] {
    return this.requests.filter((r) => !isRead(r)).map(line);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://double');
    const method = request.method ?? 'GET';
    const path = url.pathname.startsWith(`${this.apiPath}/`) ? url.pathname.slice(this.apiPath.length) : undefined;
    const text = await read(request);
    const match = path === undefined ? undefined : routeOf(Object.keys(routes), method, path);
    const record: Recorded = {
      method,
      path: decodeURIComponent(path ?? url.pathname) + decodeURIComponent(url.search),
      route: match?.route,
      body: text === '' ? undefined : parsed(text),
      headers: request.headers,
      status: 0,
    };
    this.requests.push(record);

    const played = this.faults.next(method, decodeURIComponent(url.pathname));
    if (played?.delay !== undefined) await sleep(played.delay);
    played?.meanwhile?.();
    if (played?.cut === true) {
      response.destroy();
      return;
    }
    const own =
      played?.status === undefined || played.afterwards === true ? await this.answer(match, url, record) : undefined;
    const answer: Answer =
      played?.status === undefined ? (own ?? refuse(500, 'nothing')) : { status: played.status, body: played.body };
    record.status = own?.status ?? answer.status;
    const sent = this.checked(match, answer);
    if (sent !== answer) record.status = sent.status;
    this.onAnswered(record);
    this.send(response, sent, record, played?.headers ?? {});
  }

  private async answer(match: Match | undefined, url: URL, { body, headers }: Recorded): Promise<Answer> {
    const token = this.tokenOf(headers['authorization']);
    if (token === undefined)
      return refuse(401, headers['authorization'] === undefined ? 'Requires authentication' : 'Bad credentials');
    if (url.pathname === this.graphqlPath) return await this.answerQuery(body, token);
    if (match === undefined) {
      this.violations.push(`no such call: ${url.pathname}`);
      return refuse(404, 'Not Found');
    }
    const { owner, name } = this.state.repository;
    const { route, parameters } = match;
    if (parameters['owner'] !== owner || parameters['repo'] !== name) return refuse(404, 'Not Found');
    if (body === unreadable) return refuse(400, 'Problems parsing JSON');
    const faults = this.description.requestFaults(route, parameters, url.searchParams, body);
    if (faults.length > 0) {
      this.violations.push(...faults.map((fault) => `${route}: ${fault}`));
      return {
        status: 422,
        body: {
          message: `Invalid request.\n\n${faults.join('\n')}`,
          documentation_url: 'https://docs.github.com/rest',
        },
      };
    }
    if (this.state.repository.archived && !route.startsWith('GET')) {
      return refuse(403, 'Repository was archived so is read-only.');
    }
    const handler = routes[route];
    if (handler === undefined) throw new Error(`no handler for ${route}`);
    return handler(this.state, {
      parameters,
      query: url.searchParams,
      body: (body ?? {}) as Record<string, unknown>,
      token,
    });
  }

  /** Beside the REST API of a server, below the API of github.com. */
  private get graphqlPath(): string {
    return `${this.apiPath.replace(/\/v3$/, '')}/graphql`;
  }

  private async answerQuery(body: unknown, token: Token): Promise<Answer> {
    const answer = await answerQuery((body as { query?: unknown } | undefined)?.query, token);
    const { errors } = answer.body as { errors?: unknown };
    if (errors !== undefined) this.violations.push(`GraphQL: ${JSON.stringify(errors)}`);
    return answer;
  }

  /** An answer of the double that GitHub would not give is a fault of the double: it shows as one. */
  private checked(match: Match | undefined, given: Answer): Answer {
    if (match === undefined) return given;
    const answer = this.spoil(match.route, given);
    // Gateways answer HTML.
    if (typeof answer.body === 'string') return answer;
    const faults = this.description.responseFaults(match.route, answer.status, answer.body);
    if (faults.length === 0) return answer;
    this.violations.push(...faults.map((fault) => `answer: ${fault}`));
    return refuse(500, `The double's answer is not GitHub's: ${faults.join('; ')}`);
  }

  private send(
    response: ServerResponse,
    { status, body }: Answer,
    { headers }: Recorded,
    more: Readonly<Record<string, string>>,
  ): void {
    const html = typeof body === 'string';
    const scopes = this.tokenOf(headers['authorization'])?.scopes;
    response.writeHead(status, {
      'content-type': html ? 'text/html' : 'application/json; charset=utf-8',
      'x-github-media-type': 'github.v3; format=json',
      'x-ratelimit-limit': '1000',
      'x-ratelimit-remaining': String(Math.max(1, 1000 - this.requests.length)),
      'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3600),
      ...(scopes === undefined ? {} : { 'x-oauth-scopes': scopes.join(', ') }),
      ...more,
    });
    response.end(html ? body : JSON.stringify(body));
  }

  private tokenOf(authorization: string | string[] | undefined): Token | undefined {
    const text = /^(?:token|bearer) (.+)$/i.exec(String(authorization))?.[1];
    if (text === undefined) return undefined;
    return this.tokens.size === 0 ? jobToken : this.tokens.get(text);
  }
}

/** No query changes anything: only mutations would. */
function isRead({ method, path }: Recorded): boolean {
  return method === 'GET' || path.endsWith('/graphql');
}

let description: Description | undefined;

/** Compiled once for all doubles of a process. */
function sharedDescription(): Description {
  description ??= new Description(Object.keys(routes));
  return description;
}
