import type { V1LabelSelector, V1NetworkPolicyPeer, V1NetworkPolicyPort, V1Pod } from '@kubernetes/client-node';
import type { NetworkPolicy, PatchOperation } from '../ports/cluster.ts';
import { labelSelector, matchesSelector, type LabelSelector } from './label-selector.ts';

type Labels = Readonly<Record<string, string>>;

/** NetworkPolicies that keep one pod from another one of the namespace, in one direction. */
export interface Barrier {
  /** Of the pod that connects (egress), or of the one that it connects to (ingress). */
  readonly direction: 'ingress' | 'egress';
  readonly policies: readonly string[];
  /** For the first of them, which is about some pods where one is: one that lets a connection through is enough. */
  readonly patch: readonly PatchOperation[];
}

/**
 * What blocks connections between two pods of one namespace, by the rules of the Kubernetes API (networking.k8s.io/v1): policies add up, and a pod that a policy
 * selects accepts only what some policy allows. Rules by namespace or address do not count as allowing: the policy alone does not show what they match.
 * @param label of `from` that a policy has to name to let it through
 */
export function barriersBetween(
  policies: readonly NetworkPolicy[],
  from: Labels,
  to: V1Pod,
  port: number,
  label: Labels,
): Barrier[] {
  const toLabels = to.metadata?.labels ?? {};
  const ingress = policies.filter((p) => selects(p, toLabels) && typesOf(p).includes('Ingress'));
  const egress = policies.filter((p) => selects(p, from) && typesOf(p).includes('Egress'));
  const lets = (peers: V1NetworkPolicyPeer[] | undefined, ports: V1NetworkPolicyPort[] | undefined, labels: Labels) =>
    isPeer(peers, labels) && isPort(ports, port);
  const admitted = ingress.some(({ spec }) => spec.ingress?.some((rule) => lets(rule.from, rule.ports, from)));
  const released = egress.some(({ spec }) => spec.egress?.some((rule) => lets(rule.to, rule.ports, toLabels)));
  const ports = [{ protocol: 'TCP', port }];
  return [
    ...barrier('ingress', admitted ? [] : ingress, { from: [{ podSelector: { matchLabels: label } }], ports }),
    ...barrier('egress', released ? [] : egress, { to: [{ podSelector: { matchLabels: toLabels } }], ports }),
  ];
}

/**
 * Labels that let a pod through to another one which it could not reach without them: those of a peer that a policy admits. It must not become something else
 * by them: no Service may send it requests, and no application may count it as its own.
 * @param selectors of the Services and the applications of the namespace
 * @returns nothing where it needs none, or no such labels let it through
 */
export function admittedLabels(
  policies: readonly NetworkPolicy[],
  from: Labels,
  to: V1Pod,
  port: number,
  selectors: readonly LabelSelector[],
): Labels {
  const isOpen = (labels: Labels) => barriersBetween(policies, labels, to, port, {}).length === 0;
  if (isOpen(from)) return {};
  const candidates = policies
    .filter((policy) => selects(policy, to.metadata?.labels ?? {}))
    .flatMap(({ spec }) => spec.ingress ?? [])
    .flatMap((rule) => rule.from ?? [])
    .flatMap(({ podSelector }) => (podSelector?.matchLabels === undefined ? [] : [podSelector.matchLabels]));
  const found = candidates.find((labels) => {
    const all = { ...labels, ...from };
    return isOpen(all) && !selectors.some((selector) => matchesSelector(all, selector));
  });
  return found ?? {};
}

function barrier(direction: 'ingress' | 'egress', all: readonly NetworkPolicy[], rule: object): Barrier[] {
  // A rule in one that is about some pods lets nobody reach the others.
  const policies = all.toSorted((a, b) => Number(isForAll(a)) - Number(isForAll(b)));
  const [first] = policies;
  if (first === undefined) return [];
  const path = `/spec/${direction}`;
  const patch: PatchOperation =
    first.spec[direction] === undefined
      ? { op: 'add', path, value: [rule] }
      : { op: 'add', path: `${path}/-`, value: rule };
  return [{ direction, policies: policies.map(({ metadata }) => metadata.name), patch: [patch] }];
}

function isForAll({ spec }: NetworkPolicy): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec.podSelector ?? {};
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function selects({ spec }: NetworkPolicy, labels: Labels): boolean {
  return matches(spec.podSelector ?? {}, labels);
}

function matches(selector: V1LabelSelector, labels: Labels): boolean {
  return matchesSelector(labels, labelSelector.parse(selector));
}

/** Without `policyTypes` it is about ingress, and about egress where it has such rules. */
function typesOf({ spec }: NetworkPolicy): readonly string[] {
  return spec.policyTypes ?? ['Ingress', ...(spec.egress === undefined ? [] : ['Egress'])];
}

/** A rule without peers is for everybody. */
function isPeer(peers: readonly V1NetworkPolicyPeer[] | undefined, labels: Labels): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some(
    ({ podSelector, namespaceSelector }) =>
      podSelector !== undefined && namespaceSelector === undefined && matches(podSelector, labels),
  );
}

/** A port's name is not looked up: it counts as another one. */
function isPort(ports: readonly V1NetworkPolicyPort[] | undefined, port: number): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some(({ protocol = 'TCP', port: first, endPort }) => {
    if (protocol !== 'TCP') return false;
    if (first === undefined) return true;
    return endPort === undefined ? Number(first) === port : Number(first) <= port && port <= endPort;
  });
}
