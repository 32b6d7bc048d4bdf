import { MongoClient } from 'mongodb';
import type { Piece } from './piece.ts';

/** Every document of every database, as its bytes. */
export async function* inMongodb(url: string): AsyncGenerator<Piece> {
  const client = await MongoClient.connect(url);
  try {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases) {
      const db = client.db(name);
      // Among them is the oplog of `local`, which holds every write once more.
      for (const { name: collection } of await db.listCollections({}, { nameOnly: true }).toArray()) {
        const documents = db.collection(collection).find({}, { raw: true, maxTimeMS: 60_000 });
        try {
          for await (const document of documents) {
            yield { where: `${name}.${collection}`, bytes: document as unknown as Uint8Array };
          }
        } catch (error) {
          if (!isClosed(error)) throw error;
        }
      }
    }
  } finally {
    await client.close();
  }
}

/** Some collections of `local` and `config` are closed to every reader. */
const isClosed = (error: unknown): boolean => (error as { code?: unknown }).code === 13;
