/** Seconds by phase, in the order in which they ran. */
export class Phases {
  readonly seconds = new Map<string, number>();

  async measure(name: string, body: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await body();
    this.seconds.set(name, (performance.now() - start) / 1000);
  }
}
