import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { mailNames } from './mail-names.ts';
import type { MailName } from './mail-names.ts';
import { loadTemplates, TemplateError } from './templates.ts';

const values = { email: 'ada@example.com', site: 'causeway.example.com' };

describe('templates of mails', () => {
  let folder: string;
  const own = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const place = await mkdtemp(path.join(folder, 'own-'));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.join(place, path.dirname(name)), { recursive: true });
      await writeFile(path.join(place, name), text);
    }
    return place;
  };
  const refuses = async (files: Readonly<Record<string, string>>, message: RegExp): Promise<void> => {
    await assert.rejects(loadTemplates(await own(files)), (error) => {
      assert.ok(error instanceof TemplateError);
      assert.match(error.message, message);
      return true;
    });
  };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'causeway-templates-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('that come with the service put every mail into words, with all that is told', async () => {
    const render = await loadTemplates();
    for (const [name, params] of Object.entries<readonly string[]>(mailNames)) {
      const told = Object.fromEntries(params.map((each) => [each, `told-${each}`]));
      const { subject, text, html } = render(name as MailName, { ...values, ...told });
      assert.ok(subject.length > 0 && subject.length < 80, name);
      for (const words of [text, html]) {
        assert.doesNotMatch(words, /\{\{|\}\}/, name);
        assert.ok(words.includes(values.site) && words.includes(values.email), name);
        for (const each of Object.values(told)) assert.ok(words.includes(each), `${name}: ${each}`);
      }
      assert.match(html, /^<!doctype html>/);
      assert.doesNotMatch(html, /<script|<img|src=|https?:\/\//, `${name} loads nothing from anywhere`);
    }
  });

  it('of a folder take the place of those of the same name, the others stay', async () => {
    const render = await loadTemplates(
      await own({
        'refresh-reused/subject.txt': 'Abgemeldet bei {{ site }}\n',
        'frame.txt': '{{body}}\nIhre {{site}}\n',
        '.gitkeep': '',
      }),
    );
    const { subject, text, html } = render('refresh-reused', { ...values, endedAt: 'today' });
    assert.equal(subject, 'Abgemeldet bei causeway.example.com');
    assert.match(text, /today[^]*\nIhre causeway\.example\.com\n$/);
    assert.match(html, /<title>Abgemeldet bei causeway\.example\.com<\/title>/);
    assert.match(html, /by a machine/);
  });

  it('write what is told as text, whatever it holds', async () => {
    const render = await loadTemplates();
    const endedAt = `<img src=x onerror='alert("&")'> {{email}} $& \r\nBcc: eve@example.com`;
    const { subject, text, html } = render('refresh-reused', { ...values, site: 'a\r\nBcc: eve@b', endedAt });
    assert.equal(subject, 'You were signed out of a Bcc: eve@b, to be safe');
    assert.ok(text.includes(endedAt));
    assert.ok(!html.includes('<img'));
    assert.ok(html.includes('&lt;img src=x onerror=&#39;alert(&quot;&amp;&quot;)&#39;&gt; {{email}} $&'));
  });

  it('are refused by the name of the file where something is wrong with them', async () => {
    await refuses(
      { 'refresh-reused/body.txt': 'Hello {{name}}' },
      /own-.*body\.txt names \{\{name\}\}.*\{\{email\}\}/s,
    );
    await refuses({ 'refresh-reused/body.html': '<p>{{{email}}}</p>' }, /body\.html has braces that name nothing/);
    await refuses({ 'refresh-reused/body.html': '<p>{{email}</p>' }, /body\.html has braces that name nothing/);
    await refuses({ 'refresh-reused/body.html': '<p>{{user.email}}</p>' }, /body\.html has braces that name nothing/);
    await refuses({ 'refresh-reused/subject.txt': ' \n' }, /subject\.txt is empty/);
    await refuses({ 'frame.html': '<p>{{site}}</p>' }, /frame\.html has to name \{\{body\}\}/);
    await refuses({ 'refresh-reuse/subject.txt': 'Hello' }, /refresh-reuse is no template: there are .*refresh-reused/);
    await refuses({ 'refresh-reused/body.htm': 'Hello' }, /body\.htm is no template/);
    await refuses({ 'refresh-reused/body.txt/x': 'a folder' }, /is no template|cannot be read/);
    await assert.rejects(loadTemplates(path.join(folder, 'nowhere')), /nowhere cannot be read/);
  });
});
