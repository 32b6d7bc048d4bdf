import { Fault } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { createDemandSameOrigin, faultOfAuthentication, insufficientAuthentication } from '@causeway/service';
import type { Call, NextPlace, Page, PageAnswer, RecentAuthentication } from '@causeway/service';

import type { Account, AccountQueries } from '../accounts/account.model.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import type { KnownVisitor, WhoIsIt } from './known-visitor.ts';
import { withNext } from './next.ts';
import type { Visitors } from './visitors.ts';

/** Somebody who is signed in, at a page of theirs. */
export interface Member {
  readonly claims: KnownVisitor['claims'];
  readonly account: Account;
  /** Of what they do. */
  readonly cause: Cause;
  /** For a field of each form that is hidden. */
  readonly csrf: string;
}

/** A call, as far as its visitor is concerned. */
export type MemberCall = Pick<Call, 'headers' | 'cause' | 'request'>;

/** A form that somebody has sent. */
export interface MemberForm {
  /** The path of its page: where they come back to. */
  readonly at: NextPlace;
  readonly csrf: string;
  /** How lately and how surely they must have proved who they are. */
  readonly recent?: RecentAuthentication;
  /** What faults are in the words of this page, by their codes. */
  readonly words?: Readonly<Record<string, string>>;
  /** Its page, once more. */
  readonly page: (member: Member, failure: FormFailure) => Promise<Page> | Page;
  /** Does it; a fault that a person can do something about becomes the page once more. */
  readonly work: (member: Member) => Promise<PageAnswer> | PageAnswer;
}

/** Lets those who are signed in see and do what is theirs, and leads everybody else to where they sign in. */
export interface Members {
  /** Whoever is signed in, if anybody; and what the answer must carry. */
  known(call: MemberCall): Promise<{
    readonly member: Member | undefined;
    /** For a field of each form that is hidden, whoever looks at it. */
    readonly csrf: string;
    readonly setCookie: readonly string[];
  }>;
  /**
   * @param at - the path of the page: where they come back to
   * @param recent - how lately and how surely they must have proved who they are
   */
  show(
    call: MemberCall,
    at: NextPlace,
    page: (member: Member) => Promise<PageAnswer> | PageAnswer,
    recent?: RecentAuthentication,
  ): Promise<PageAnswer>;
  /** @throws Fault `cross-site` before anything is done */
  act(call: MemberCall, form: MemberForm): Promise<PageAnswer>;
}

/** What {@link createMembers} is given. */
export interface MembersDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly whoIsIt: WhoIsIt;
  readonly accounts: Pick<AccountQueries, 'byId'>;
  readonly cookies: Pick<CookieDelivery, 'cleared'>;
  readonly now: () => Date;
}

/** What was set for the visitor, and then what the answer sets: of two with one name the later one counts. */
export const withCookies = (answer: PageAnswer, before: readonly string[]): PageAnswer => {
  const own = answer.headers?.['Set-Cookie'] ?? [];
  const all = [...before, ...(Array.isArray(own) ? (own as readonly string[]) : [String(own)])];
  return all.length === 0 ? answer : { ...answer, headers: { ...answer.headers, 'Set-Cookie': all } };
};

/** Where somebody proves once more who they are. */
const proveAgain = (at: NextPlace): NextPlace => withNext('/account/step-up', at);

/** @returns what knows members */
export function createMembers({ publicUrl, visitors, whoIsIt, accounts, cookies, now }: MembersDependencies): Members {
  const demandSameOrigin = createDemandSameOrigin(publicUrl);

  const known: Members['known'] = async (call) => {
    const { csrf, headers } = visitors.of(call);
    const visitor = await whoIsIt(call);
    const account = visitor === undefined ? undefined : await accounts.byId(visitor.claims.sub);
    if (visitor === undefined || account === undefined)
      return { member: undefined, csrf, setCookie: [...Object.values(headers), ...(cookies.cleared(call) ?? [])] };
    const { claims } = visitor;
    const cause: Cause = { ...call.cause, principal: { type: 'app_user', id: claims.sub } };
    const setCookie = [...Object.values(headers), ...(visitor.headers['Set-Cookie'] ?? [])];
    return { member: { claims, account, cause, csrf }, csrf, setCookie };
  };

  const isRecent = ({ claims, account }: Member, recent: RecentAuthentication | undefined): boolean => {
    const facts = { nowMs: now().getTime(), hasSecondFactor: account.hasSecondFactor };
    return recent === undefined || faultOfAuthentication(claims, recent, facts) === undefined;
  };

  const mustSignIn = (at: NextPlace, setCookie: readonly string[]): PageAnswer =>
    withCookies({ seeOther: withNext('/account/sign-in', at) }, setCookie);

  return {
    known,
    async show(call, at, page, recent) {
      const { member, setCookie } = await known(call);
      if (member === undefined) return mustSignIn(at, setCookie);
      const answer = isRecent(member, recent) ? await page(member) : { seeOther: proveAgain(at) };
      return withCookies(answer, setCookie);
    },
    async act(call, { at, csrf, recent, words, page, work }) {
      demandSameOrigin(call.request);
      const { member, setCookie } = await known(call);
      if (member === undefined) return mustSignIn(at, setCookie);
      const refuse = async (failure: FormFailure): Promise<PageAnswer> => {
        const { status, headers } = failure;
        return withCookies({ page: await page(member, failure), status, headers }, setCookie);
      };
      if (!visitors.isOwn(call, csrf)) return refuse(formExpired);
      if (!isRecent(member, recent)) return withCookies({ seeOther: proveAgain(at) }, setCookie);
      try {
        return withCookies(await work(member), setCookie);
      } catch (error) {
        const isTooLittle = error instanceof Fault && error.code === insufficientAuthentication.declaration.code;
        return isTooLittle ? withCookies({ seeOther: proveAgain(at) }, setCookie) : refuse(failureOf(error, words));
      }
    },
  };
}
