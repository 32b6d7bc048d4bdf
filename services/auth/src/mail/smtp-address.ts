/** How the mail server is reached. */
export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** `always`: TLS from the first byte; `demanded`: by STARTTLS, or not at all; `offered`: by STARTTLS where the server has it. */
  readonly encryption: 'always' | 'demanded' | 'offered';
  readonly user?: string;
  readonly password?: string;
}

/** RFC 8314 §3: submission with TLS, and with STARTTLS. */
const ports = { 'smtps:': 465, 'smtp:': 587 } as const;

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

const encryptionOf = ({ protocol, hostname, search }: URL): SmtpAddress['encryption'] | undefined => {
  if (protocol === 'smtps:') return search === '' ? 'always' : undefined;
  if (search === '?starttls=optional') return 'offered';
  if (search !== '') return undefined;
  return loopback.test(hostname) ? 'offered' : 'demanded';
};

/**
 * Reads the address of a mail server: `smtps://user:password@host:465`, or `smtp://…` with STARTTLS, which is demanded but of this
 * machine, unless the address ends in `?starttls=optional`.
 *
 * @returns undefined where it is none
 */
export function parseSmtpAddress(text: string): SmtpAddress | undefined {
  const url = URL.parse(text);
  if (url === null || !(url.protocol in ports) || url.hostname === '' || url.hash !== '') return undefined;
  if (url.pathname !== '' && url.pathname !== '/') return undefined;
  const encryption = encryptionOf(url);
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (encryption === undefined || user === undefined || password === undefined) return undefined;
  const port = url.port === '' ? ports[url.protocol as keyof typeof ports] : Number(url.port);
  // A name without a password is a mistake: nobody signs in so.
  if ((user === '') !== (password === '')) return undefined;
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return { host, port, encryption, ...(user === '' ? {} : { user, password }) };
}
