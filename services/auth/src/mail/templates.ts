import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

import { mailNames } from './mail-names.ts';
import type { MailName } from './mail-names.ts';

/** What every template may name: who the mail is about, and where it is from. */
const common = ['email', 'site'] as const;

/** The parts of a mail, each a file in the folder that is named for it. */
const parts = { subject: 'subject.txt', text: 'body.txt', html: 'body.html' } as const;
type Part = keyof typeof parts;

/** What stands around every mail: a file beside the folders, with `{{body}}` in it. */
const frames = { text: 'frame.txt', html: 'frame.html' } as const;

/** The templates that come with this service. */
export const bundledTemplates = fileURLToPath(new URL('../../templates/mail', import.meta.url));

/** A mail in words. */
export interface MailWords {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * Puts a mail into words.
 *
 * @param name - which
 * @param values - of all that its template may name
 */
export type RenderMail = (name: MailName, values: Readonly<Record<string, string>>) => MailWords;

/** Something is wrong with templates; the service does not start with them. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const placeholder = /\{\{\s*([A-Za-z]+)\s*\}\}/g;

const htmlSigns: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => htmlSigns[sign] ?? '');

/** In a line of its own nothing begins another: RFC 5322 §2.2 headers end with a line. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

const fill = (template: string, values: Readonly<Record<string, string>>, write: (value: string) => string): string =>
  template.replaceAll(placeholder, (_all, name: string) => write(values[name] ?? ''));

/** @throws TemplateError where a template names what it may not, or has braces that name nothing */
const check = (file: string, text: string, allowed: readonly string[], needed: readonly string[] = []): void => {
  const named = [...text.matchAll(placeholder)].map(([, name = '']) => name);
  const may = `it may name ${allowed.map((each) => `{{${each}}}`).join(', ')}`;
  const unknown = named.find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw new TemplateError(`${file} names {{${unknown}}}: ${may}`);
  // Three braces are a mistake too: nothing is put into a mail as it is.
  if (/\{\{\{|\}\}\}/.test(text) || /\{\{|\}\}/.test(text.replaceAll(placeholder, '')))
    throw new TemplateError(`${file} has braces that name nothing: ${may}`);
  const missing = needed.find((name) => !named.includes(name));
  if (missing !== undefined) throw new TemplateError(`${file} has to name {{${missing}}}`);
  if (text.trim() === '') throw new TemplateError(`${file} is empty`);
};

/** Of the operator's folder, else of the bundled one. */
const readTemplate = async (folders: readonly string[], name: string): Promise<{ file: string; text: string }> => {
  for (const folder of folders) {
    const file = path.join(folder, name);
    try {
      return { file, text: await readFile(file, 'utf8') };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw new TemplateError(`${file} cannot be read`, { cause: error });
    }
  }
  throw new TemplateError(`there is no ${name} in ${folders.join(' or ')}`);
};

/** A file with a name that is none of ours would never be sent, and nobody would notice. */
const refuseUnknown = async (folder: string): Promise<void> => {
  const known = [
    ...Object.values(frames),
    ...Object.keys(mailNames).flatMap((name) => [name, ...Object.values(parts).map((part) => path.join(name, part))]),
  ];
  const there = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new TemplateError(`${folder} cannot be read`, { cause: error });
  });
  const stranger = there.find((name) => !known.includes(name) && !path.basename(name).startsWith('.'));
  if (stranger === undefined) return;
  throw new TemplateError(`${path.join(folder, stranger)} is no template: there are ${known.join(', ')}`);
};

/**
 * Reads every template, once. A file of the operator's folder takes the place of the bundled one of the same name; the others stay.
 *
 * @param folder - the operator's, laid out as {@link bundledTemplates}
 * @returns what puts mails into words; values are written as text, whatever they hold
 * @throws TemplateError with the name of the file that is missing or wrong
 */
export async function loadTemplates(folder?: string): Promise<RenderMail> {
  if (folder !== undefined) await refuseUnknown(folder);
  const folders = [...(folder === undefined ? [] : [folder]), bundledTemplates];
  const read = async (name: string, allowed: readonly string[], needed?: readonly string[]): Promise<string> => {
    const { file, text } = await readTemplate(folders, name);
    check(file, text, allowed, needed);
    return text;
  };
  const inFrames = [...common, 'subject', 'body'];
  const frame = {
    text: await read(frames.text, inFrames, ['body']),
    html: await read(frames.html, inFrames, ['body']),
  };
  const templates = new Map<string, Readonly<Record<Part, string>>>();
  for (const [name, own] of Object.entries<readonly string[]>(mailNames)) {
    const allowed = [...common, ...own];
    // A mail without its link is of no use to anybody.
    const needed = own.filter((each) => each === 'link');
    templates.set(name, {
      subject: await read(
        path.join(name, parts.subject),
        allowed.filter((each) => each !== 'link'),
      ),
      text: await read(path.join(name, parts.text), allowed, needed),
      html: await read(path.join(name, parts.html), allowed, needed),
    });
  }
  const asIs = (value: string): string => value;
  return (name, values) => {
    const template = templates.get(name);
    if (template === undefined) throw new TemplateError(`there is no mail ${name}`);
    const subject = oneLine(fill(template.subject, values, asIs));
    const framed = (part: 'text' | 'html', write: (value: string) => string): string => {
      const body = fill(template[part], values, write).trim();
      const outer = Object.fromEntries(
        Object.entries({ ...values, subject }).map(([key, value]) => [key, write(value)]),
      );
      return fill(frame[part], { ...outer, body }, asIs);
    };
    return { subject, text: framed('text', asIs), html: framed('html', escapeHtml) };
  };
}
