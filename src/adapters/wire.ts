import type { Cluster as KubeconfigCluster, User } from '@kubernetes/client-node';
import { ConfigurationError } from '../common/errors.ts';

/**
 * What must be so before the credentials go anywhere: an address that can be read, TLS, and a proxy that is known.
 * Decision: docs/decisions/0027-secrets.md
 * @throws ConfigurationError; addresses may hold a password, so that only their scheme is shown
 */
export function expectSafeWire({ name, server, proxyUrl }: KubeconfigCluster, user: User | null): void {
  const url = parsed(server);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new ConfigurationError(
      'kubeconfig-server-invalid',
      `The server of cluster ${JSON.stringify(name)} in the kubeconfig is no address with https: (its text is not shown).`,
      'Set clusters[].cluster.server to an address such as https://api.example.com:6443.',
    );
  if (url.protocol !== 'https:')
    throw new ConfigurationError(
      'kubeconfig-server-insecure',
      `The server of cluster ${JSON.stringify(name)} in the kubeconfig has an address with http:. The credentials would go there in clear text. Nothing was sent.`,
      'Set clusters[].cluster.server to the address with https:, and certificate-authority-data to the certificate that signs it.',
    );
  if (proxyUrl !== undefined && !proxySchemes.includes(parsed(proxyUrl)?.protocol ?? ''))
    throw new ConfigurationError(
      'kubeconfig-proxy-invalid',
      `The proxy-url of cluster ${JSON.stringify(name)} in the kubeconfig is no address with ${proxySchemes.join(', ')}.`,
      'Set clusters[].cluster.proxy-url to an address such as http://proxy.example.com:3128.',
    );
  if (user?.token !== undefined && !/^[\x21-\x7e]*$/.test(user.token))
    throw new ConfigurationError(
      'kubeconfig-token-invalid',
      `The token of user ${JSON.stringify(user.name)} in the kubeconfig has line ends or other characters that no token has.`,
      'Set users[].user.token to the token alone, in one line.',
    );
}

/** Those that the Kubernetes library knows. */
const proxySchemes = ['http:', 'https:', 'socks:', 'socks4:', 'socks4a:', 'socks5:', 'socks5h:'];

/**
 * What weakens the way to the API server without closing it, a sentence each.
 * @param environment value of a variable of this process, '' when it is not set
 */
export function weaknessesOf(
  { name, skipTLSVerify, proxyUrl }: KubeconfigCluster,
  environment: (variable: string) => string,
): string[] {
  const proxy = proxyUrl === undefined ? undefined : parsed(proxyUrl);
  return [
    ...(skipTLSVerify
      ? [
          `The kubeconfig switches off the verification of TLS for cluster ${JSON.stringify(name)} (insecure-skip-tls-verify). Anybody between the runner and the cluster can read the credentials.`,
        ]
      : []),
    // Node takes no other value for it.
    ...(environment('NODE_TLS_REJECT_UNAUTHORIZED') === '0'
      ? [
          "The environment switches off the verification of TLS (NODE_TLS_REJECT_UNAUTHORIZED=0). Anybody between the runner and the servers can read the credentials, GitHub's too.",
        ]
      : []),
    ...(proxy !== undefined && proxy.protocol !== 'https:' && proxy.password !== ''
      ? [
          `The password of the proxy of cluster ${JSON.stringify(name)} goes to it in clear text (proxy-url with ${proxy.protocol}).`,
        ]
      : []),
  ];
}

function parsed(address: unknown): URL | undefined {
  return typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
}

/** Addresses of this machine itself (RFC 6761, 6.3): what goes there goes over no wire. */
const loopback = /^((?:[a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The address of GitHub's API.
 * @throws ConfigurationError for one without TLS, but on this machine
 */
export function expectSafeApi(address: string): void {
  const url = parsed(address);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.test(url.hostname))) return;
  throw new ConfigurationError(
    'github-api-insecure',
    `GITHUB_API_URL is ${url === undefined ? 'no address' : `an address with ${url.protocol}, which would get the token in clear text`}. Nothing was sent.`,
    'Run on a server whose API has TLS (https:).',
  );
}
