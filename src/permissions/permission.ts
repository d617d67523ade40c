import type { ResourceName } from '../ports/cluster.ts';
import type { ServerNames } from '../target/server-names.ts';

/** One thing that the kubeconfig's user must be allowed to do. */
export interface Permission {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';
  readonly resource: ResourceName;
  readonly subresource?: string;
  /**
   * The only objects that it is needed for; no name: nothing is there that it is needed for. Missing where Kubernetes can't grant it by
   * name (create, list), or where the names are made during the run.
   */
  readonly names?: (server: ServerNames) => readonly string[];
  /** Which mode needs it. An upgrade and a cleanup each need all that a precheck needs, besides. */
  readonly mode: 'precheck' | 'upgrade' | 'cleanup';
  readonly why: string;
  /** Asked only where the API server has the resource at all. */
  readonly ifServed?: true;
  /** In all namespaces. */
  readonly everywhere?: true;
  /** Ids of the checks that miss something without it. Where the list is there, also an empty one, a run does without the right. */
  readonly informs?: readonly string[];
  /** What those checks answer without it, where that is not `unknown`; each of them says why. */
  readonly without?: 'warning';
  /** What else does not work without it, for people. */
  readonly else?: string;
}
