import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { framesOf, gatherFrames, MalformedFrame } from './frames.ts';

describe('frames', () => {
  const all = () => {
    const frames = gatherFrames();
    frames.tunnel(1, Buffer.from('GET / HTTP/1.1'));
    frames.tunnel(1, Buffer.alloc(0));
    frames.tell(7, 'data: ü🙂\n', 'id: a\n\n');
    frames.tell(4_294_967_295, 'data: ü🙂\n', 'id: bc\n\n');
    frames.tell(7, 'data: 2\n', '');
    frames.end(7);
    frames.cut(8);
    frames.taken(9, 1_000);
    frames.close(10);
    return frames;
  };

  it('are read as they were put in; what is shared has gone once', () => {
    const frames = all();
    const message = frames.take();
    const read = [...framesOf(message)].map((frame) => {
      if (frame.kind === 'tunnel') return [frame.kind, frame.tunnel, frame.bytes.toString()];
      if (frame.kind === 'tell')
        return [frame.kind, frame.channels, frame.shared.toString(), frame.own.map((own) => own.toString())];
      return [frame.kind, frame.channel, ...(frame.kind === 'taken' ? [frame.count] : [])];
    });
    assert.deepEqual(read, [
      ['tunnel', 1, 'GET / HTTP/1.1'],
      ['tunnel', 1, ''],
      ['tell', [7, 4_294_967_295], 'data: ü🙂\n', ['id: a\n\n', 'id: bc\n\n']],
      ['tell', [7], 'data: 2\n', ['']],
      ['end', 7],
      ['cut', 8],
      ['taken', 9, 1_000],
      ['close', 10],
    ]);
    assert.equal(frames.length, 0);
    assert.equal(frames.take().length, 0);
  });

  it('keep the order in which a channel is told', () => {
    const frames = gatherFrames();
    for (const [channel, text] of [
      [1, 'a'],
      [2, 'a'],
      [1, 'b'],
      [1, 'a'],
      [1, 'a'],
    ] as const)
      frames.tell(channel, text, '');
    const told: string[] = [];
    for (const frame of framesOf(frames.take())) {
      if (frame.kind !== 'tell') assert.fail();
      for (const channel of frame.channels) if (channel === 1) told.push(frame.shared.toString());
    }
    assert.deepEqual(told, ['a', 'b', 'a', 'a']);
  });

  it('are refused where they are cut short, or of no kind', () => {
    const message = all().take();
    let whole = 0;
    for (let length = 0; length < message.length; length += 1) {
      try {
        if ([...framesOf(message.subarray(0, length))].length < 9) whole += 1;
      } catch (error) {
        assert.ok(error instanceof MalformedFrame, String(error));
      }
    }
    // Where one ends and the next has not begun.
    assert.equal(whole, 8);
    assert.throws(() => [...framesOf(Buffer.from([0]))], MalformedFrame);
    assert.throws(() => [...framesOf(Buffer.from([99, 0, 0, 0, 0]))], MalformedFrame);
    // A number of channels that no message has room for.
    assert.throws(() => [...framesOf(Buffer.from([2, 255, 255, 255, 255, 0, 0, 0, 0]))], MalformedFrame);
  });
});
