import process from 'node:process';

const isColourful = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint =
  (code: number) =>
  (text: string): string =>
    isColourful ? `\x1b[${code}m${text}\x1b[0m` : text;

export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
export const red = paint(31);
export const cyan = paint(36);

/** Tells the tour to the person who has started it, and keeps what was not as it should be. */
export class Narrator {
  readonly #failures: string[] = [];
  #chapters = 0;
  #checks = 0;

  get failures(): readonly string[] {
    return this.#failures;
  }

  get checks(): number {
    return this.#checks;
  }

  chapter(title: string): void {
    this.#chapters += 1;
    console.log(`\n${bold(`${this.#chapters}  ${title}`)}`);
  }

  say(text = ''): void {
    console.log(text.replaceAll(/^/gm, '   '));
  }

  /** @param truth - what should be so */
  check(truth: boolean, what: string): void {
    this.#checks += 1;
    if (!truth) this.#failures.push(what);
    this.say(truth ? `${green('✔')} ${what}` : `${red('✖')} ${red(what)}`);
  }

  /** @param rows - the first is the head; numbers stand to the right */
  table(rows: readonly (readonly (string | number)[])[]): void {
    const texts = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)));
    const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
    for (const [index, row] of texts.entries()) {
      const cells = row.map((text, column) => {
        const isNumber = typeof rows[Math.max(index, 1)]?.[column] === 'number';
        return isNumber ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
      });
      const line = cells.join('   ').trimEnd();
      this.say(index === 0 ? dim(line) : line);
    }
  }
}
