const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand in HTML, and in an attribute's quotes of either kind. */
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (each) => escapes[each] ?? each);

/** HTML that was put together by {@link html}: whatever was text in it has been escaped. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** What may stand in a template: text, which is escaped; HTML and lists of it; nothing, for what is left out. */
export type HtmlPart = string | number | Html | undefined | false | readonly HtmlPart[];

const markupOf = (part: HtmlPart): string => {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.map(markupOf).join('');
  return escapeHtml(String(part));
};

/**
 * A template of HTML. What is put in is text, and escaped, unless it is HTML itself: nothing that a person wrote can become markup.
 * Attributes stand in quotes, and none of them is a script.
 */
export const html = (strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html =>
  new Html(strings.map((text, index) => text + markupOf(parts[index])).join(''));
