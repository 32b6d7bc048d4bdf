import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Reporter } from '../report.ts';
import { assertSha256 } from './checksum.ts';
import { download } from './download.ts';
import { hasTool, runTool } from './run-tool.ts';
import { firstOf, Unavailable } from './source.ts';

/** A jar of a Maven repository, pinned. */
export interface Jar {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const publicRepository = 'https://repo.maven.apache.org/maven2';
/** Resolves and copies; pinned, so that the same plugin runs everywhere. */
export const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
const mavenTimeoutMs = 10 * 60_000;
const downloadsAtOnce = 6;

/**
 * Fetches jars into a folder, with Maven where it is there (its settings and mirrors count), else from the repository.
 *
 * @throws NothingLeft when neither works
 */
export async function fetchJars(what: string, jars: readonly Jar[], folder: string, reporter: Reporter): Promise<void> {
  const sources = [
    { name: 'Maven', find: () => byMaven(what, jars, folder, reporter) },
    { name: 'the Maven repository', find: () => byHttps(what, jars, folder, reporter) },
  ];
  await firstOf(`${what}'s jars`, sources, 'Install Maven, or open the way to Maven Central.', reporter);
}

/** @returns the file name of a jar */
export function jarFile({ artifact, version }: Jar): string {
  return `${artifact}-${version}.jar`;
}

/** A project that wants exactly these jars, and none that they would bring along. */
export function pomOf(jars: readonly Pick<Jar, 'group' | 'artifact' | 'version'>[], transitive: boolean): string {
  const exclusions = transitive
    ? ''
    : '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';
  const dependencies = jars.map(
    ({ group, artifact, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${exclusions}</dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>causeway</groupId><artifactId>stack</artifactId><version>1</version>
<dependencies>
${dependencies.join('\n')}
</dependencies></project>
`;
}

async function byMaven(
  what: string,
  jars: readonly Jar[],
  folder: string,
  reporter: Reporter,
): Promise<true | undefined> {
  if (!hasTool('mvn', ['--version'])) return undefined;
  const scratch = path.join(folder, '.maven');
  mkdirSync(scratch, { recursive: true });
  writeFileSync(path.join(scratch, 'pom.xml'), pomOf(jars, false));
  const sizes = new Map(jars.map((jar) => [jarFile(jar), jar.sizeBytes]));
  const progress = reporter.progress(what, totalBytes(jars));
  let bytes = 0;
  try {
    const args = ['-B', `${dependencyPlugin}:copy-dependencies`, `-DoutputDirectory=${path.join(scratch, 'jars')}`];
    await runTool('mvn', args, { cwd: scratch, timeoutMs: mavenTimeoutMs }, (line) => {
      const file = /^\S*\s*Downloaded from \S+ \S*?([^/\s]+\.jar) /.exec(line)?.[1];
      bytes += sizes.get(file ?? '') ?? 0;
      progress.at(bytes);
    });
    const found = new Set(readdirSync(path.join(scratch, 'jars')));
    for (const jar of jars) {
      const file = jarFile(jar);
      if (!found.has(file)) throw new Unavailable(`it left out ${file}`);
      await assertSha256(path.join(scratch, 'jars', file), jar.sha256, file);
      copyFileSync(path.join(scratch, 'jars', file), path.join(folder, file));
    }
    return true;
  } finally {
    progress.end();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function byHttps(what: string, jars: readonly Jar[], folder: string, reporter: Reporter): Promise<true> {
  const repository = (process.env.MAVEN_REPOSITORY_URL ?? publicRepository).replace(/\/$/, '');
  const progress = reporter.progress(what, totalBytes(jars));
  const done = new Map<string, number>();
  const waiting = jars.values();
  const worker = async (): Promise<void> => {
    for (const jar of waiting) {
      const file = jarFile(jar);
      const target = path.join(folder, file);
      const url = `${repository}/${jar.group.replaceAll('.', '/')}/${jar.artifact}/${jar.version}/${file}`;
      if (!existsSync(target)) {
        await download(url, `${target}.part`, (bytes) => {
          done.set(file, bytes);
          progress.at([...done.values()].reduce((sum, each) => sum + each, 0));
        });
        await assertSha256(`${target}.part`, jar.sha256, file);
        copyFileSync(`${target}.part`, target);
        rmSync(`${target}.part`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: downloadsAtOnce }, worker));
    return true;
  } finally {
    progress.end();
  }
}

function totalBytes(jars: readonly Jar[]): number {
  return jars.reduce((sum, jar) => sum + jar.sizeBytes, 0);
}
