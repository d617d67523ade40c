import { describe, expect, test } from '@jest/globals';
import type { V1NetworkPolicyPeer } from '@kubernetes/client-node';
import type { NetworkPolicy } from '../../../src/ports/cluster.ts';
import { barriersBetween } from '../../../src/target/network-policies.ts';

const server = { metadata: { labels: { app: 'postgresql' } } };
const ours = { name: 'probe', role: 'restore-test' };
const probe: V1NetworkPolicyPeer = { podSelector: { matchLabels: { name: 'probe' } } };

function policy(spec: NetworkPolicy['spec']): NetworkPolicy {
  return { metadata: { name: 'p' }, spec };
}

function directions(...policies: NetworkPolicy[]): string[] {
  return barriersBetween(policies, ours, server, 5432, { name: 'probe' }).map(({ direction }) => direction);
}

describe('a pod is kept from the server', () => {
  test.each<[string, NetworkPolicy['spec'], string[]]>([
    ['by one that closes all pods', { podSelector: {} }, ['ingress']],
    ['by one that is about egress too', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, ['ingress', 'egress']],
    ['not by one about other pods', { podSelector: { matchLabels: { app: 'web' } } }, []],
    [
      'not by one about egress of the server',
      { podSelector: { matchLabels: server.metadata.labels }, policyTypes: ['Egress'] },
      [],
    ],
    ['not by one that lets everybody in', { podSelector: {}, ingress: [{}] }, []],
    ['not by one that lets it in', { podSelector: {}, ingress: [{ from: [probe] }] }, []],
    [
      'by one that lets in others',
      { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] },
      ['ingress'],
    ],
    [
      'by one that lets in another namespace',
      { podSelector: {}, ingress: [{ from: [{ ...probe, namespaceSelector: {} }] }] },
      ['ingress'],
    ],
    [
      'by one that lets it in by another port',
      { podSelector: {}, ingress: [{ from: [probe], ports: [{ port: 80 }] }] },
      ['ingress'],
    ],
    [
      'by one that lets it in by UDP',
      { podSelector: {}, ingress: [{ from: [probe], ports: [{ protocol: 'UDP', port: 5432 }] }] },
      ['ingress'],
    ],
    [
      'not by one that lets it in by that port',
      { podSelector: {}, ingress: [{ from: [probe], ports: [{ port: 80 }, { port: 5432 }] }] },
      [],
    ],
    [
      'not by one with a range of ports',
      { podSelector: {}, ingress: [{ from: [probe], ports: [{ port: 5000, endPort: 6000 }] }] },
      [],
    ],
    ['by one with egress and no types', { podSelector: { matchLabels: ours }, egress: [] }, ['egress']],
    [
      'not by one that lets it out to the server',
      {
        podSelector: { matchLabels: ours },
        egress: [{ to: [{ podSelector: { matchLabels: server.metadata.labels } }] }],
      },
      [],
    ],
  ])('%s', (_, spec, expected) => {
    expect(directions(policy(spec))).toEqual(expected);
  });

  test('not where one of several lets it in', () => {
    expect(directions(policy({ podSelector: {} }), policy({ podSelector: {}, ingress: [{ from: [probe] }] }))).toEqual(
      [],
    );
  });
});
