import { bold, cyan, dim, green, red } from './narrator.ts';

/** An event, as far as the picture shows it. */
export interface ShownEvent {
  readonly type: string;
  readonly subject: string;
  readonly sequence: string;
  readonly time: string;
}

/** `GET /v1/events/{id}/effects`. */
export interface Effects {
  readonly event: ShownEvent;
  readonly handlers: readonly {
    readonly service: string;
    readonly handler: string;
    readonly status: string;
    readonly attempts: number;
    readonly at?: string;
  }[];
  readonly caused: readonly Effects[];
  readonly complete: boolean;
}

/**
 * Draws what became of a write: its events, who handled each, and what that caused in turn.
 *
 * @param request - the line at the root
 * @param roots - the effects of each event that the request recorded
 * @returns lines of text
 */
export function effectsPicture(request: string, roots: readonly Effects[]): string {
  const since = Math.min(...roots.map((each) => Date.parse(each.event.time)));
  const after = (time: string | undefined): string => (time === undefined ? '' : `+${Date.parse(time) - since} ms`);
  const draw = (branches: readonly Branch[], indent: string): string[] =>
    branches.flatMap(({ line, below }, index) => {
      const isLast = index === branches.length - 1;
      return [`${indent}${isLast ? '└─' : '├─'} ${line}`, ...draw(below, `${indent}${isLast ? '   ' : '│  '}`)];
    });
  const branchOf = ({ event, handlers, caused }: Effects): Branch => ({
    line: `${bold(event.type)} ${event.subject} ${dim(`revision ${Number(event.sequence)}, ${after(event.time)}`)}`,
    below: [
      ...handlers.map(({ service, handler, status, attempts, at }) => ({
        line: `${cyan(`${service} › ${handler}`)} ${(status === 'done' ? green : red)(status)} ${dim(`${attempts === 1 ? 'at once' : `${attempts} attempts`}, ${after(at)}`)}`,
        below: [],
      })),
      ...caused.map(branchOf),
    ],
  });
  return [cyan(request), ...draw(roots.map(branchOf), '')].join('\n');
}

interface Branch {
  readonly line: string;
  readonly below: readonly Branch[];
}
