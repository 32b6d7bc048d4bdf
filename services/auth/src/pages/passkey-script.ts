/**
 * What a page needs a script for: a browser asks authenticators by nothing else. Each `data-passkey` says what its button does; where
 * the browser knows of no passkeys it stays hidden, and the page works without.
 */
export const passkeyScript = `'use strict';
(() => {
  const known = window.PublicKeyCredential;
  if (known?.parseRequestOptionsFromJSON === undefined) return;

  const ask = async (path, body) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const answer = await fetch(path, { method: 'POST', headers, body: body === undefined ? null : JSON.stringify(body) });
    // What gives its tokens in cookies alone has nothing to say.
    const said = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.title), { code: said.code });
    return said;
  };
  const use = async ({ ticket, options }) => {
    const publicKey = known.parseRequestOptionsFromJSON(options);
    return { ticket, response: (await navigator.credentials.get({ publicKey })).toJSON() };
  };
  const make = async ({ ticket, options }) => {
    const publicKey = known.parseCreationOptionsFromJSON(options);
    return { ticket, response: (await navigator.credentials.create({ publicKey })).toJSON() };
  };

  const deeds = {
    'sign-in': async () =>
      ask('/v1/auth/sign-in/passkey', { ...(await use(await ask('/v1/auth/sign-in/passkey/options'))), delivery: 'cookies' }),
    'second-factor': async ({ ticket: mfaToken }) => {
      const { passkey } = await ask('/v1/auth/sign-in/second-factor/options', { mfaToken });
      if (passkey === undefined) throw new Error('There is no passkey of this account. Type a code instead');
      return ask('/v1/auth/sign-in/second-factor', { mfaToken, passkey: await use(passkey), delivery: 'cookies' });
    },
    'step-up': async () => {
      const { passkey } = await ask('/v1/auth/step-up/options');
      if (passkey === undefined) throw new Error('There is no passkey of this account. Type a code instead');
      return ask('/v1/auth/step-up', { passkey: await use(passkey) });
    },
    register: async () => ask('/v1/auth/factors/passkeys', await make(await ask('/v1/auth/factors/passkeys/options'))),
  };

  // Told once: the page stays until its reader goes on.
  const show = (place, codes) => {
    place.querySelector('[data-codes]').replaceChildren(
      ...codes.map((code) => Object.assign(document.createElement('li'), { textContent: code })),
    );
    place.querySelector('[data-told]').hidden = false;
    place.querySelector('button').hidden = true;
    place.querySelector('[data-told] h2').focus();
  };

  for (const holder of document.querySelectorAll('[data-passkey]')) {
    const { passkey: deed, next } = holder.dataset;
    const button = holder.querySelector('button');
    const wrong = holder.querySelector('[role="alert"]');
    holder.hidden = false;
    button.addEventListener('click', async () => {
      button.disabled = true;
      wrong.textContent = '';
      try {
        const { recoveryCodes } = await deeds[deed](holder.dataset);
        const place = new URL(next, location.href);
        if (recoveryCodes !== undefined) show(holder, recoveryCodes);
        else location.assign(place.origin === location.origin ? place : '/account/security');
      } catch (error) {
        const back = '?next=' + encodeURIComponent(next);
        if (error.code === 'insufficient-authentication') return location.assign('/account/step-up' + back);
        if (error.code === 'unauthenticated') return location.assign('/account/sign-in' + back);
        wrong.textContent = error.code === undefined && error.name !== 'Error'
          ? 'The passkey was not used. Try again, or go on without it.' : error.message + '.';
      } finally {
        button.disabled = false;
      }
    });
  }
})();
`;
