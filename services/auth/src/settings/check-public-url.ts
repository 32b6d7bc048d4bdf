import { mayHaveCookies, processSettings } from '@causeway/service';
import type { SettingsCheck } from '@causeway/service';

/** Browsers are given cookies, and mails hold links to it: over plain HTTP everybody on the way could read both. */
export const checkPublicUrl: SettingsCheck<Pick<typeof processSettings, 'publicUrl'>> = ({ publicUrl }) =>
  publicUrl === undefined || mayHaveCookies(publicUrl)
    ? []
    : [`${processSettings.publicUrl.env} must begin with https:// (http:// is for localhost and 127.0.0.1 alone)`];
