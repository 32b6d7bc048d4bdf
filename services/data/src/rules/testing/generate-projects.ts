import type { Random } from '../../conditions/testing/random.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the records of a world refer to; `@project0` stands for the id of the first. */
export interface GeneratedProject {
  readonly title: string;
  readonly open: boolean;
  /** Members, as authors are named. */
  readonly members: readonly string[];
  readonly org?: string;
  /** Its members see it. */
  readonly hush?: unknown;
}

/** Who is no member sees those alone that are open, and those without what is hushed. */
export const projectsDefinition = {
  schema: {
    properties: {
      title: { type: 'string' },
      open: { type: 'boolean' },
      members: { type: 'array', items: { type: 'string' } },
      org: { type: 'string' },
      hush: true,
    },
  },
  fields: { hush: { read: [{ members: { $auth: 'sub' } }] } },
  rules: { read: [{ open: true }, { members: { $auth: 'sub' } }] },
};

/** The names of those that records refer to. */
export const projectNames = ['@project0', '@project1', '@project2', '@project3'] as const;

/** One that no record refers to, and that everybody sees. */
export const spareProject = `@project${projectNames.length}`;

/** Some; the first and the last everybody sees. */
export const generateProjects = (random: Random): readonly GeneratedProject[] =>
  [...projectNames, spareProject].map((name, index) => ({
    title: `title of ${name.slice(1)}`,
    open: index === 0 || name === spareProject || random.chance(30),
    members: ['@ada', '@bob', '@eve'].filter(() => random.chance(40)),
    ...(random.chance(60) ? { org: random.pick(['org_1', 'org_2']) } : {}),
    ...(random.chance(70) ? { hush: random.pick(['one', 'two', 3]) } : {}),
  }));

/** The parts of rules that follow a record's project to what no twin has otherwise. */
export const plainFollows: readonly Json[] = [
  { project: { $follow: { members: { $auth: 'sub' } } } },
  { project: { $follow: { open: true } } },
  { project: { $follow: { org: { $auth: 'org' } } } },
  { project: { $not: { $follow: { open: true, members: { $ne: { $auth: 'sub' } } } } } },
];

/** All of them. */
export const follows: readonly Json[] = [...plainFollows, { project: { $follow: { hush: { $in: ['one', 3] } } } }];
