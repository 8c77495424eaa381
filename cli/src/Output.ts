/** The streams that a command writes to. */
export type Streams = {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
};

/** Prints a command's results: text for people, or one JSON object a line for programs. */
export class Output {
  readonly #stdout: Streams['stdout'];
  readonly #json: boolean;

  constructor({ stdout }: Pick<Streams, 'stdout'>, { json = false }: { json?: boolean | undefined }) {
    this.#stdout = stdout;
    this.#json = json;
  }

  /** Prints one result: the object for programs, the text for people. */
  answer(object: object, text: string): void {
    this.#stdout.write(`${this.#json ? JSON.stringify(object) : text}\n`);
  }

  /** Prints one page of a list: each item for programs, aligned columns for people, with a heading on the first page. */
  page<T extends object>(items: readonly T[], columns: Readonly<Record<string, (item: T) => unknown>>, first = true) {
    if (this.#json) {
      for (const item of items) this.#stdout.write(`${JSON.stringify(item)}\n`);
      return;
    }
    const rows = items.map((item) => Object.values(columns).map((cell) => String(cell(item))));
    if (first) rows.unshift(Object.keys(columns));
    const widths = Object.keys(columns).map((_, column) =>
      Math.max(0, ...rows.map((row) => (row[column] ?? '').length)),
    );
    for (const row of rows) {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      this.#stdout.write(`${line.trimEnd()}\n`);
    }
  }
}
