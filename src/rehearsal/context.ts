import type { Image } from '../common/image.ts';
import type { Database } from '../database/database.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { RehearsalMark } from '../objects/rehearsal.ts';
import type { JobSettings } from '../objects/upgrade-job.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import type { Timeline } from '../report/timeline.ts';
import type { RecordedImage } from '../target/image-digests.ts';
import type { Target } from '../target/target.ts';

/** What a rehearsal works with. */
export interface RehearsalContext extends Deps<LeasedCluster> {
  readonly inputs: Inputs;
  readonly target: Target;
  /** The running server's; those on the copy have the same password. */
  readonly database: Database<LeasedCluster>;
  readonly serving: Image;
  /** What the probes of the checks ran; undefined where none did. */
  readonly seen: { readonly upgrade: RecordedImage | undefined; readonly serving: RecordedImage | undefined };
  /** Of the Job, as an upgrade would have them. */
  readonly settings: JobSettings;
  readonly scripts: Readonly<Record<string, string>>;
  /** What the copy is made by. */
  readonly copying: Copying;
  /** Whether the pods must run where the server's volume can be used: the copy has no volume yet that they could follow. */
  readonly followsServer: boolean;
  readonly mark: RehearsalMark;
  readonly timeline: Timeline;
}

type Copying = { readonly kind: 'snapshot'; readonly className: string } | { readonly kind: 'clone' };
