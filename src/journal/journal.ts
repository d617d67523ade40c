import type { V1ConfigMap } from '@kubernetes/client-node';
import { describe, UpgradeError } from '../common/errors.ts';
import type { ClusterReader, LeasedCluster, PatchOperation } from '../ports/cluster.ts';
import { isTestFailure } from '../objects/fencing-token.ts';
import { CounterKeeper, countOn, highestCounter } from './counter.ts';
import { journalChanged, journalGone, notAuthentic, replayed, saidByVolume } from './errors.ts';
import { journalName } from '../objects/journal-name.ts';
import { isSame, journalObject, removeImmutable } from './object.ts';
import { noteCodecs, type Noted, type Notes } from './notes.ts';
import { encodeJournal, readJournal } from './reader.ts';
import type { JournalRecord } from './record.ts';
import type { JournalData, JournalSeal } from './seal.ts';

type SealedData = JournalData & { readonly salt: string; readonly seal: string };

/**
 * What was planned and done, kept in the cluster beside the server. It is data, never authority: whoever may write ConfigMaps may have written it. So it is
 * sealed as a whole, each value has its grammar, and its counter is kept on the volume, which reveals a restored older journal.
 * Only the run that holds the Lease writes to it.
 * Decision: docs/decisions/0008-journal.md
 */
export class Journal<C extends ClusterReader = ClusterReader> {
  private keeper: CounterKeeper | undefined;

  private constructor(
    private readonly cluster: C,
    private readonly namespace: string,
    private readonly seal: JournalSeal,
    /** Undefined between its deletion and its new creation. */
    private uid: string | undefined,
    private data: SealedData,
    readonly record: JournalRecord,
    private readonly notes: Noted,
  ) {}

  /** What this run or one before it has noted. */
  get noted(): Readonly<Noted> {
    return this.notes;
  }

  /** UID of the ConfigMap, as it was read. */
  get objectUid(): string | undefined {
    return this.uid;
  }

  /** Whether the upgrade has ended, upgraded or reverted. */
  get isClosed(): boolean {
    return this.notes.outcome !== undefined;
  }

  /** Number of its last change. It grows also from one journal to the next. */
  get counter(): number {
    return Number(this.data['counter']);
  }

  /**
   * The journal of an earlier run, if there is one. There is none before the first upgrade, and after an administrator has deleted the journal of an upgrade that has ended.
   * @param seal of the server's superuser
   * @param volume PersistentVolume that the server's claim has now
   * @throws UpgradeError `journal-gone`, `journal-not-authentic`, `journal-replayed` or `journal-invalid`
   */
  static async find<C extends ClusterReader>(
    cluster: C,
    namespace: string,
    seal: JournalSeal,
    volume?: string,
  ): Promise<Journal<C> | undefined> {
    // The volume first: a run that is at work counts in the journal before it does on the volume.
    const before = volume === undefined ? { counter: 0, isOpen: false } : await countOn(cluster, volume);
    const expectNone = (): void => {
      if (volume !== undefined && before.isOpen) throw journalGone(namespace, saidByVolume(volume));
    };
    const found = await cluster.find('configmaps', journalName, namespace);
    if (found === undefined) {
      expectNone();
      return undefined;
    }
    const journal = await Journal.parse(cluster, namespace, seal, found);
    const others = journal.volumes().filter((name) => name !== volume);
    const highest = Math.max(before.counter, await highestCounter(cluster, others));
    if (journal.counter >= highest) return journal;
    // A run that is at work may have written between the two readings.
    const again = await cluster.find('configmaps', journalName, namespace);
    if (again === undefined) {
      expectNone();
      return undefined;
    }
    const now = await Journal.parse(cluster, namespace, seal, again);
    if (now.counter < highest) throw replayed(namespace, now.counter, highest);
    return now;
  }

  /**
   * Starts a new journal; it replaces that of an ended upgrade.
   * @param noted what is known from before
   * @throws UpgradeError when an upgrade that has not ended holds it, or what `find` throws
   */
  static async begin(
    cluster: LeasedCluster,
    namespace: string,
    seal: JournalSeal,
    record: JournalRecord,
    noted: Readonly<Noted> = {},
  ): Promise<Journal<LeasedCluster>> {
    const earlier = await Journal.find(cluster, namespace, seal, record.volume);
    if (earlier?.isClosed === false) {
      throw new UpgradeError(
        'unfinished-upgrade',
        `An upgrade that began at ${earlier.record.startedAt} (${earlier.record.runId}) has not ended. This run changed nothing.`,
        'Run "mode: upgrade" again: it resumes that upgrade.',
      );
    }
    const highest = Math.max(earlier?.counter ?? 0, await highestCounter(cluster, [record.volume]));
    return await Journal.replace(cluster, namespace, seal, record, noted, {
      counter: highest + 1,
      ended: earlier && { uid: earlier.uid, seal: earlier.data.seal },
    });
  }

  /**
   * Writes a new journal. It replaces one that has ended or can't be trusted, if there is one.
   * @param ended which one; it must still be as it was read
   */
  static async replace(
    cluster: LeasedCluster,
    namespace: string,
    seal: JournalSeal,
    record: JournalRecord,
    noted: Readonly<Noted>,
    { counter, ended }: { counter: number; ended: { uid: string | undefined; seal: string | undefined } | undefined },
  ): Promise<Journal<LeasedCluster>> {
    const salt = seal.newSalt();
    const data = await seal.sign(namespace, {
      ...(await encodeJournal(record, noted)),
      counter: String(counter),
      salt,
    });
    await expectReadable(namespace, data);
    let object: V1ConfigMap;
    try {
      object = await Journal.write(cluster, journalObject(namespace, data), ended);
    } catch (error) {
      // The answer may be lost, or a repetition refused since the first attempt succeeded: the object shows that.
      const found = await cluster.find('configmaps', journalName, namespace);
      if (found?.data?.['seal'] !== data.seal) throw error;
      object = found;
    }
    const journal = await Journal.parse(cluster, namespace, seal, object);
    await journal.count();
    return journal;
  }

  /** In one conditional change: of two runs that both find an ended journal, one is refused. */
  private static async write(
    cluster: LeasedCluster,
    object: ReturnType<typeof journalObject>,
    ended: { uid: string | undefined; seal: string | undefined } | undefined,
  ): Promise<V1ConfigMap> {
    const { namespace } = object.metadata;
    if (ended === undefined) return await cluster.create('configmaps', object, { namespace });
    try {
      return await cluster.patch('configmaps', journalName, namespace, [
        { op: 'test', path: '/metadata/uid', value: ended.uid },
        ...(ended.seal === undefined ? [] : [{ op: 'test', path: '/data/seal', value: ended.seal } as const]),
        { op: 'add', path: '/data', value: object.data },
      ]);
    } catch (error) {
      if (!isTestFailure(error)) throw error;
      const now = await cluster.find('configmaps', journalName, namespace);
      // Both tests hold: it is the change that was refused.
      if (now?.metadata?.uid !== ended.uid || now?.data?.['seal'] !== ended.seal) throw error;
      await removeImmutable(cluster, namespace, ended.uid);
      return await cluster.create('configmaps', object, { namespace });
    }
  }

  /**
   * Notes a fact under its name, in the very journal that this run knows.
   * @throws UpgradeError `journal-changed` when somebody else has changed it since; TooLongForJournal
   */
  async note<N extends keyof Notes>(this: Journal<LeasedCluster>, name: N, value: Notes[N]): Promise<void> {
    await this.noteAll({ [name]: value });
  }

  /** Notes several facts in one change: another run finds all of them, or none. What `note` throws; nothing is noted then. */
  async noteAll(this: Journal<LeasedCluster>, notes: Partial<Notes>): Promise<void> {
    const names = Object.keys(notes) as (keyof Notes)[];
    // The compiler does not see that codec and value are of the same note.
    const textOf = async (name: keyof Notes) => await noteCodecs[name].encode(notes[name] as never);
    const texts = await Promise.all(names.map(async (name) => [name, await textOf(name)] as const));
    const known = await Promise.all(texts.map(async ([name, text]) => [name, await noteCodecs[name].decode(text)]));
    const counter = String(this.counter + 1);
    const before = this.data.seal;
    const data: SealedData = await this.seal.sign(this.namespace, {
      ...this.data,
      ...Object.fromEntries(texts),
      counter,
    });
    const now =
      this.uid === undefined
        ? await this.createAgain(data)
        : await this.change(data, [
            { op: 'test', path: '/metadata/uid', value: this.uid },
            { op: 'test', path: '/data/seal', value: before },
            ...texts.map(([name, text]) => ({ op: 'add', path: `/data/${name}`, value: text }) as const),
            { op: 'add', path: '/data/counter', value: counter },
            { op: 'add', path: '/data/seal', value: data.seal },
          ]);
    // Whoever changes other values leaves the seal as it was.
    if (!isSame(now.data, data)) throw journalChanged(this.namespace, undefined);
    const { volume } = this;
    this.data = data;
    Object.assign(this.notes, Object.fromEntries(known));
    // A volume that was replaced by another one is closed too.
    await this.count(this.isClosed ? this.volumes() : [volume]);
  }

  private async change(
    this: Journal<LeasedCluster>,
    data: SealedData,
    operations: readonly PatchOperation[],
  ): Promise<V1ConfigMap> {
    try {
      return await this.cluster.patch('configmaps', journalName, this.namespace, operations);
    } catch (error) {
      if (!isTestFailure(error)) throw error;
      // The patch was repeated, since the answer to it was lost: then the change is there.
      const now = await this.cluster.find('configmaps', journalName, this.namespace);
      if (now === undefined || now.metadata?.uid !== this.uid) throw journalChanged(this.namespace, error);
      if (!isSame(now.data, this.data)) return now;
      // All tests hold: it is the change that was refused.
      await removeImmutable(this.cluster, this.namespace, this.uid);
      this.uid = undefined;
      return await this.createAgain(data);
    }
  }

  private async createAgain(this: Journal<LeasedCluster>, data: SealedData): Promise<V1ConfigMap> {
    const { namespace } = this;
    const made = await this.cluster.create('configmaps', journalObject(namespace, data), { namespace });
    this.uid = made.metadata?.uid;
    return made;
  }

  /** The volumes that the journal names. */
  private volumes(): string[] {
    const { exchange } = this.notes;
    return [...new Set([this.record.volume, ...(exchange === undefined ? [] : [exchange.volume, exchange.former])])];
  }

  /** PersistentVolume of the server, or the one that replaces it. */
  get volume(): string {
    return this.notes.exchange?.volume ?? this.record.volume;
  }

  /** Only after the journal has it: a run that is killed in between leaves a journal that is ahead of the volume, which is harmless. */
  private async count(this: Journal<LeasedCluster>, before: readonly string[] = []): Promise<void> {
    this.keeper ??= new CounterKeeper(this.cluster, this.namespace);
    for (const volume of new Set([...before, this.volume])) await this.keeper.keep(volume, this);
  }

  private static async parse<C extends ClusterReader>(
    cluster: C,
    namespace: string,
    seal: JournalSeal,
    { metadata, data = {} }: V1ConfigMap,
  ): Promise<Journal<C>> {
    const { salt, seal: told } = data;
    if (salt === undefined || told === undefined || !(await seal.isAuthentic(namespace, data)))
      throw notAuthentic(namespace, data);
    const { record, noted } = await readJournal(namespace, data);
    return new Journal(cluster, namespace, seal, metadata?.uid, { ...data, salt, seal: told }, record, noted);
  }
}

/** Begins nothing that another run could not resume. */
async function expectReadable(namespace: string, data: JournalData): Promise<void> {
  try {
    await readJournal(namespace, data);
  } catch (error) {
    throw new UpgradeError(
      'journal-unwritable',
      `The journal can't hold what the cluster and the server say, so the upgrade was not begun. ${describe(error)}`,
      'Change what the message names, if you can. Otherwise report it with the log.',
      { cause: error },
    );
  }
}
