import { describe, expect, test } from '@jest/globals';
import type { V1LabelSelector, V1NetworkPolicyPeer } from '@kubernetes/client-node';
import type { NetworkPolicy } from '../../../src/ports/cluster.ts';
import { admittedLabels, barriersBetween } from '../../../src/target/network-policies.ts';

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

test('the patch is for a policy about some pods, and not for one that closes all of them', () => {
  const named = (name: string, podSelector: V1LabelSelector): NetworkPolicy => ({
    metadata: { name },
    spec: { podSelector },
  });
  const all = [named('default-deny', {}), named('postgresql', { matchLabels: { app: 'postgresql' } })];
  const [found] = barriersBetween(all, ours, server, 5432, { name: 'probe' });
  expect(found?.policies).toEqual(['postgresql', 'default-deny']);
});

describe('labels of a peer that a policy admits', () => {
  const admits = (...labels: Record<string, string>[]) =>
    policy({
      podSelector: {},
      ingress: [{ from: labels.map((matchLabels) => ({ podSelector: { matchLabels } })), ports: [{ port: 5432 }] }],
    });
  const borrowed = (policies: NetworkPolicy[], ...selectors: Record<string, string>[]) =>
    admittedLabels(
      policies,
      ours,
      server,
      5432,
      selectors.map((matchLabels) => ({ matchLabels })),
    );

  test('let a pod through that has none of them', () => {
    expect(borrowed([admits({ layer: 'application' })])).toEqual({ layer: 'application' });
    expect(borrowed([policy({ podSelector: {} }), admits({ client: 'true' })])).toEqual({ client: 'true' });
  });

  test('are not needed where nothing keeps the pod out', () => {
    expect(borrowed([])).toEqual({});
    expect(borrowed([admits({ name: 'probe' })])).toEqual({});
  });

  test('are not taken where a Service or an application would count the pod as its own', () => {
    const policies = [admits({ layer: 'application' }, { client: 'true' })];
    expect(borrowed(policies, { layer: 'application' })).toEqual({ client: 'true' });
    expect(borrowed(policies, { layer: 'application' }, { client: 'true', name: 'probe' })).toEqual({});
    expect(borrowed(policies, { layer: 'application', app: 'web' })).toEqual({ layer: 'application' });
  });

  test('are not taken where they would replace labels of the action', () => {
    expect(borrowed([admits({ name: 'frontend' })])).toEqual({});
  });

  test('are not taken where a policy then closes the way out', () => {
    const closed = policy({ podSelector: { matchLabels: { layer: 'application' } }, policyTypes: ['Egress'] });
    expect(borrowed([admits({ layer: 'application' }), closed])).toEqual({});
  });

  test('come from rules for this port alone, and not from those for other pods', () => {
    const web = policy({
      podSelector: {},
      ingress: [{ from: [{ podSelector: { matchLabels: { a: 'b' } } }], ports: [{ port: 80 }] }],
    });
    const others = policy({
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { a: 'b' } } }] }],
    });
    expect(borrowed([policy({ podSelector: {} }), web, others])).toEqual({});
  });
});
