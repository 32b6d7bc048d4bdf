import assert from 'node:assert/strict';

import type { TestReplica } from './test-auth.ts';

/** What was answered to a browser, read. */
export interface Seen {
  readonly status: number;
  readonly location: string | null;
  readonly headers: Headers;
  readonly text: string;
}

/** What a page says first: of what went wrong, or of what was done. */
export const toldBy = ({ text }: Seen): string | undefined =>
  /<p class="(?:alert|notice)"[^>]*>\s*([^<]*?)\s*<\/p>/.exec(text)?.[1];

/** What a browser keeps. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  take(headers: Headers): void {
    for (const each of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
      if (each.includes('Max-Age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  /** @param name - without what stands before it */
  get(name: string): string {
    return this.#cookies.get(`__Host-causeway-${name}`) ?? '';
  }

  plant(name: string, value: string): void {
    this.#cookies.set(`__Host-causeway-${name}`, value);
  }

  forget(name: string): void {
    this.#cookies.delete(`__Host-causeway-${name}`);
  }

  get header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  get names(): string[] {
    return [...this.#cookies.keys()].sort();
  }
}

/** A browser without scripts: it keeps cookies, fills in forms, and says where its requests are from. */
export class Browser {
  readonly jar = new CookieJar();
  readonly #auth: TestReplica;

  /** @param auth - a replica whose public URL is https */
  constructor(auth: TestReplica) {
    this.#auth = auth;
  }

  /** Opens a page; `headers` take the place of what a browser says where somebody has typed the address in. */
  async open(path: string, headers: Record<string, string> = { 'sec-fetch-site': 'none' }): Promise<Seen> {
    return this.#ask(path, { headers });
  }

  /**
   * Sends a form of a page, with its hidden fields.
   *
   * @param to - where the form goes, or how that begins; left out: the page's first
   */
  async send(
    page: Seen,
    fields: Record<string, string>,
    { to = '', headers = {} }: { readonly to?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<Seen> {
    const forms = [...page.text.matchAll(/<form[^>]*method="post" action="([^"]+)"[\s\S]*?<\/form>/g)];
    const [form = '', action = ''] = forms.find(([, each = '']) => each.startsWith(to)) ?? [];
    assert.notEqual(action, '', `no form for ${to} in ${page.text}`);
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const body = new URLSearchParams();
    for (const [, name = '', value = ''] of hidden) body.set(name, value);
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return this.#ask(action, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin', ...headers }, body });
  }

  async #ask(path: string, init: RequestInit): Promise<Seen> {
    const headers: Record<string, string> = this.jar.header === '' ? {} : { cookie: this.jar.header };
    const answer = await this.#auth.service.fetch(path, { ...init, headers: Object.assign(headers, init.headers) });
    this.jar.take(answer.headers);
    const location = answer.headers.get('location');
    return { status: answer.status, location, headers: answer.headers, text: await answer.text() };
  }
}
