import { MongoClient } from 'mongodb';
import { addressOf } from './platform.ts';

/**
 * Has a service's inbox forget an event at a handler, as if it had never come there.
 *
 * @returns whether it had been handled
 */
export async function forgetHandled(service: string, handler: string, eventId: string): Promise<boolean> {
  const client = await MongoClient.connect(addressOf('mongodb'));
  try {
    const handled = client.db(`causeway-${service}`).collection<{ _id: { handler: string; event: string } }>('handled');
    const { deletedCount } = await handled.deleteOne(
      { _id: { handler, event: eventId } },
      { writeConcern: { w: 'majority' } },
    );
    return deletedCount === 1;
  } finally {
    await client.close();
  }
}
