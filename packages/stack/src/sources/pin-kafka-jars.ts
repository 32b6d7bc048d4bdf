// Writes kafka-jars.json anew: `node packages/stack/src/sources/pin-kafka-jars.ts`, after a change of `kafkaVersion`. Needs
// Maven. Whoever runs it looks at what has changed: from then on these checksums are what every machine demands.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { sha256Of } from './checksum.ts';
import { dependencyPlugin, type Jar, jarFile, pomOf } from './jars.ts';
import { kafkaVersion } from './pins.ts';
import { runTool } from './run-tool.ts';

/** The broker, and the back end of the logging interface that it was built against. */
const roots = [
  { group: 'org.apache.kafka', artifact: 'kafka_2.13', version: kafkaVersion },
  { group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: '2.24.3' },
];

const folder = await mkdtemp(path.join(tmpdir(), 'kafka-jars-'));
try {
  await writeFile(path.join(folder, 'pom.xml'), pomOf(roots, true));
  const layout = ['-DoutputDirectory=jars', '-DincludeScope=runtime', '-Dmdep.useRepositoryLayout=true'];
  await runTool('mvn', ['-B', `${dependencyPlugin}:copy-dependencies`, ...layout], { cwd: folder, timeoutMs: 600_000 });
  const jars: Jar[] = [];
  const entries = await readdir(path.join(folder, 'jars'), { recursive: true });
  for (const entry of entries.filter((each) => each.endsWith('.jar')).sort()) {
    // The layout of a repository: group/as/folders/artifact/version/artifact-version.jar.
    const folders = entry.split(path.sep).slice(0, -1);
    const [version, artifact] = [folders.pop() ?? '', folders.pop() ?? ''];
    const file = path.join(folder, 'jars', entry);
    const jar = { group: folders.join('.'), artifact, version, sha256: await sha256Of(file) };
    if (!entry.endsWith(jarFile({ ...jar, sizeBytes: 0 }))) throw new Error(`${entry} is a classified jar`);
    jars.push({ ...jar, sizeBytes: (await stat(file)).size });
  }
  const target = path.join(import.meta.dirname, 'kafka-jars.json');
  await writeFile(target, `${JSON.stringify(jars, undefined, 2)}\n`);
  process.stdout.write(`${jars.length} jars\n`);
} finally {
  await rm(folder, { recursive: true });
}
