import type { RawData, WebSocket } from 'ws';

import { framesOf, gatherFrames, MalformedFrame, type Frame, type FrameGatherer } from './frames.ts';

/** RFC 6455 §7.4.1. */
const protocolError = 1_002;

/** A message that is longer is refused: one frame of the largest record, or of the largest request, fits with what was put in before it. */
export const largestMessageBytes = 67_108_864;

/** A message that gets longer than this is sent before the turn is over. */
const largeMessageBytes = 262_144;

/** Where frames are put in: they are sent in one message at the end of the turn. */
export interface FrameSender {
  readonly frames: FrameGatherer;
  /** To be called after each. */
  due(): void;
}

/**
 * Makes what sends frames.
 *
 * @param socket - that is open; what is sent once it is not is lost, as what is told into a connection that has ended
 */
export function createFrameSender(socket: Pick<WebSocket, 'send' | 'readyState' | 'OPEN'>): FrameSender {
  const frames = gatherFrames();
  let isDue = false;
  const flush = (): void => {
    isDue = false;
    if (frames.length === 0) return;
    const message = frames.take();
    if (socket.readyState === socket.OPEN) socket.send(message, () => undefined);
  };
  return {
    frames,
    due() {
      if (frames.length > largeMessageBytes) flush();
      else if (!isDue) {
        isDue = true;
        setImmediate(flush);
      }
    },
  };
}

/**
 * Has a link's frames taken, one after the other; ends it where the other side does not speak as agreed.
 *
 * @param taken - called after those of each message
 */
export function takeFrames(socket: WebSocket, take: (frame: Frame) => void, taken?: () => void): void {
  socket.binaryType = 'nodebuffer';
  socket.on('message', (message: RawData, isBinary: boolean) => {
    try {
      if (!isBinary || !Buffer.isBuffer(message)) throw new MalformedFrame('a message is no frames');
      for (const frame of framesOf(message)) take(frame);
      taken?.();
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error;
      socket.close(protocolError, error.message);
    }
  });
}

/**
 * Ends a link on which nothing comes any more, not even what keeps it alive.
 *
 * @param silenceMs - how long that takes
 * @returns tells for how long nothing has come
 */
export function endWhenSilent(socket: WebSocket, silenceMs: number): () => number {
  let heardAt = performance.now();
  const heard = (): void => {
    heardAt = performance.now();
  };
  socket.on('message', heard).on('ping', heard).on('pong', heard);
  const timer = setInterval(() => {
    if (performance.now() - heardAt > silenceMs) socket.terminate();
  }, silenceMs / 4);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
  return () => performance.now() - heardAt;
}
