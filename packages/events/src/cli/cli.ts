// `npm run events -- <command>`: what happened, what became of it, and what is parked.
import process from 'node:process';
import { parseArgs } from 'node:util';

import { CliError } from './cli-error.ts';
import { listEvents, showEffects, showEvent } from './event-commands.ts';
import { signIn } from './gateway.ts';
import { createOutput } from './output.ts';
import { discard, listParked, redrive } from './parked-commands.ts';
import { decideRebuild, rebuild } from './rebuild-commands.ts';
import { replay, stopReplay } from './replay-commands.ts';

const usage = `usage: npm run events -- <command> [options]

  list [<request id>]         the events of a request (its X-Request-Id), of a thing, or of some types: of all that is given
                              [--subject account/usr_…] [--type T,T]
  show <event id>             one event, whole
  effects <event id>          what became of it, and of all that it caused   [--wait 10s]
  tail                        events as they come   [--service S] [--type T] [--subject S] [--since 10m] [--count N]
  lag                         how far each service is behind what it handles
  retire <service>/<handler>  effects no longer wait for a handler that its service has given up
  parked                      what could not be handled   [--service S] [--handler H]
  redrive <event id>          have it handled again, with its subject
                              [--scope event|subject|handler] [--rate N] [--dry-run] [--service S] [--handler H]
  discard <event id>          give it up   --reason "…" [--service S] [--handler H]
  replay                      have handlers go through past events again; what has had its effect does not have it again
                              --service S --since 2h|<ISO time> [--handler H] [--rate N] [--external] [--dry-run]
                              --stop <replay id>: have one end at the next event
  rebuild                     build a read model anew beside the one that is used, and swap it in where both agree
                              --service S --handler H [--rate N]
  swap, drop <rebuild id>     what is to become of it where they do not

  --json                      one JSON value a line, for programs

CAUSEWAY_URL says where the platform is, CAUSEWAY_TOKEN or CAUSEWAY_ADMIN_EMAIL and CAUSEWAY_ADMIN_PASSWORD who asks; without them
it is the platform of npm start. tail, lag and retire ask Kafka at KAFKA_BROKERS. Ends with 0; with 1 where it could not be done, effects are
not complete, a redrive or replay failed, or a rebuild differs; with 2 where it is not understood.`;

const text = { type: 'string' } as const;

const parse = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{ service: text, handler: text, type: text, subject: text, since: text, count: text, wait: text },
        ...{ scope: text, rate: text, reason: text, stop: text },
        'dry-run': { type: 'boolean' },
        external: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CliError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, 2);
  }
};

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const durationOf = (text: string): number | undefined => {
  const [, amount = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  return unitMs === undefined ? undefined : Number(amount) * unitMs;
};

const millisecondsOf = (duration: string): number => {
  const found = durationOf(duration);
  if (found === undefined) throw new CliError(`--since is a number and s, m, h or d, such as 10m; not ${duration}`, 2);
  return found;
};

/** A duration until now, or a time. */
const timeOf = (since: string | undefined): string => {
  if (since === undefined) throw new CliError('replay needs --since: a time, or how long ago, such as 2h', 2);
  if (/^\d{4}-\d\d-\d\dT/.test(since) && !Number.isNaN(Date.parse(since))) return new Date(since).toISOString();
  const agoMs = durationOf(since);
  if (agoMs === undefined) throw new CliError(`--since is a time, or how long ago, such as 2h; not ${since}`, 2);
  return new Date(Date.now() - agoMs).toISOString();
};

const wholeNumber = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new CliError(`${option} is a whole number, not ${text}`, 2);
  return Number(text);
};

/** What a command needs, and what it does. */
interface Command {
  /** What its argument is; none where it takes none. */
  readonly needs?: string;
  /** It may be left out, and is then empty. */
  readonly optional?: true;
  readonly run: (argument: string) => Promise<number>;
}

/** Half of the time that this program takes to start, and no use to those who ask the gateway. */
const kafkaCommands = () => import('./kafka-commands.ts');

type Values = ReturnType<typeof parse>['values'];

const commandsOf = (values: Values): Readonly<Record<string, Command>> => {
  const { env } = process;
  const out = createOutput(values.json ?? false);
  const { service, handler, scope = 'subject', rate, reason, wait } = values;
  const filter = { service, handler };
  const event = 'the id of an event';
  const aRebuild = 'the id of a rebuild';
  return {
    list: {
      needs: 'the id of a request',
      optional: true,
      run: async (id) => {
        const { subject, type } = values;
        const listed = { correlationId: id === '' ? undefined : id, subject, type };
        if (Object.values(listed).every((each) => each === undefined)) {
          throw new CliError('list needs the id of a request, --subject or --type', 2);
        }
        return listEvents(await signIn(env), out, listed);
      },
    },
    show: { needs: event, run: async (id) => showEvent(await signIn(env), out, id) },
    effects: { needs: event, run: async (id) => showEffects(await signIn(env), out, id, wait) },
    tail: {
      run: async () => {
        const sinceMs = millisecondsOf(values.since ?? '0s');
        const count = wholeNumber('--count', values.count);
        return (await kafkaCommands()).tail(env, out, { ...values, sinceMs, count });
      },
    },
    lag: { run: async () => (await kafkaCommands()).showLag(env, out) },
    retire: {
      needs: 'the name of a service and of its handler, such as user/create-profile',
      run: async (name) => (await kafkaCommands()).retire(env, out, name),
    },
    parked: { run: async () => listParked(await signIn(env), out, filter) },
    redrive: {
      needs: event,
      run: async (id) => {
        const options = { ...filter, scope, rate: wholeNumber('--rate', rate), dryRun: values['dry-run'] ?? false };
        return redrive(await signIn(env), out, id, options);
      },
    },
    replay: {
      run: async () => {
        const { external = false, 'dry-run': dryRun = false, stop } = values;
        if (stop !== undefined) return stopReplay(await signIn(env), out, stop);
        const options = { ...filter, since: timeOf(values.since), rate: wholeNumber('--rate', rate), external, dryRun };
        return replay(await signIn(env), out, options);
      },
    },
    rebuild: { run: async () => rebuild(await signIn(env), out, { ...filter, rate: wholeNumber('--rate', rate) }) },
    swap: { needs: aRebuild, run: async (id) => decideRebuild(await signIn(env), out, id, 'swap') },
    drop: { needs: aRebuild, run: async (id) => decideRebuild(await signIn(env), out, id, 'drop') },
    discard: {
      needs: event,
      run: async (id) => {
        if (reason === undefined) throw new CliError('discard needs --reason: it is recorded', 2);
        return discard(await signIn(env), out, id, { ...filter, reason });
      },
    },
  };
};

const main = async (): Promise<number> => {
  const { positionals, values } = parse();
  const [name, ...given] = positionals;
  if (values.help === true || name === undefined) {
    process.stdout.write(`${usage}\n`);
    return values.help === true ? 0 : 2;
  }
  const commands = commandsOf(values);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new CliError(`there is no command ${name}\n\n${usage}`, 2);
  const { needs, optional, run } = command;
  const most = needs === undefined ? 0 : 1;
  if (given.length > most || (given.length < most && optional !== true)) {
    throw new CliError(`${name} takes ${needs ?? 'no argument'}\n\n${usage}`, 2);
  }
  return run(given[0] ?? '');
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.status;
}
