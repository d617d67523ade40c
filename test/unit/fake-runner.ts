import type { OutputName } from '../../src/common/outputs.ts';
import type { AnnotationLevel, Log, Runner, StateName } from '../../src/ports/runner.ts';
import type { FileLine } from '../../src/common/errors.ts';

/** Keeps what would be in the workflow run's log. */
export class FakeLog implements Log {
  readonly lines: string[] = [];
  readonly groups: string[] = [];
  readonly annotations: { level: AnnotationLevel; title: string; message: string; place?: FileLine }[] = [];

  info(line: string): void {
    this.lines.push(line);
  }

  debug(line: string): void {
    this.lines.push(`debug: ${line}`);
  }

  async group<T>(title: string, body: () => Promise<T>): Promise<T> {
    this.groups.push(title);
    return await body();
  }

  annotate(level: AnnotationLevel, title: string, message: string, place?: FileLine): void {
    this.annotations.push({ level, title, message, ...(place === undefined ? {} : { place }) });
  }

  redact(text: string): string {
    return text;
  }

  get text(): string {
    return this.lines.join('\n');
  }
}

/** Keeps what a run leaves to people and to later steps. */
export class FakeRunner implements Runner {
  readonly log = new FakeLog();
  readonly outputs: Partial<Record<OutputName, string>> = {};
  readonly masked: string[] = [];
  readonly files: Record<string, string> = {};
  readonly saved: Partial<Record<StateName, string>> = {};
  summary = '';
  failed = false;

  constructor(
    private readonly inputs: Readonly<Record<string, string>> = {},
    private readonly variables: Readonly<Record<string, string>> = {},
  ) {}

  input(name: string): string {
    return this.inputs[name] ?? '';
  }

  inputNames(): readonly string[] {
    return Object.keys(this.inputs);
  }

  mask(secret: string): void {
    this.masked.push(secret);
  }

  unmasked(): [] {
    return [];
  }

  output(name: OutputName, value: string): void {
    this.outputs[name] = value;
  }

  summarize(markdown: string): Promise<void> {
    this.summary += markdown;
    return Promise.resolve();
  }

  fail(): void {
    this.failed = true;
  }

  saveState(name: StateName, value: string): void {
    this.saved[name] = value;
  }

  state(): string {
    return '';
  }

  environment(name: string): string {
    return this.variables[name] ?? '';
  }

  writeReport(name: string, content: unknown): Promise<string> {
    this.files[name] = `${JSON.stringify(content, undefined, 2)}\n`;
    return Promise.resolve(`/temporary/${name}`);
  }
}
