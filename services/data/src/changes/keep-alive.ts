/** Who is to hear something now and then, spread over time so that not all are told at once. */
export interface KeepAlive<Member> {
  add(member: Member): void;
  remove(member: Member): void;
  /** Those whose turn it is: each comes once in as many calls as there are turns. */
  next(): Iterable<Member>;
}

/** Makes it, with nobody in it. */
export function createKeepAlive<Member>(turns: number): KeepAlive<Member> {
  const members = Array.from({ length: turns }, () => new Set<Member>());
  const turnOf = new Map<Member, Set<Member> | undefined>();
  let added = 0;
  let turn = 0;
  return {
    add(member) {
      if (turnOf.has(member)) return;
      const own = members[added]?.add(member);
      turnOf.set(member, own);
      added = (added + 1) % turns;
    },
    remove(member) {
      turnOf.get(member)?.delete(member);
      turnOf.delete(member);
    },
    next() {
      const due = members[turn] ?? [];
      turn = (turn + 1) % turns;
      return due;
    },
  };
}
