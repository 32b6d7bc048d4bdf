import { compressionsAlgorithms } from '@platformatic/kafka';
import kafkajs from 'kafkajs';

// Node sees no named exports of these in kafkajs, which is CommonJS.
const { CompressionCodecs, CompressionTypes } = kafkajs;

interface KafkajsCodec {
  /** @param encoder - kafkajs' own, of the records of a batch */
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

const codecOf = (name: 'snappy' | 'lz4' | 'zstd'): (() => KafkajsCodec) => {
  const codec = compressionsAlgorithms[name];
  return () => ({
    compress: ({ buffer }) => Promise.resolve(codec.compressSync(buffer)),
    // A failure rejects: it is that of the batch.
    decompress: (buffer) => Promise.resolve().then(() => codec.decompressSync(buffer)),
  });
};

/**
 * Gives kafkajs the codecs that it leaves out, from the other driver: whoever writes to a topic may use any of them.
 */
export function supplyCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = codecOf('snappy');
  CompressionCodecs[CompressionTypes.LZ4] = codecOf('lz4');
  CompressionCodecs[CompressionTypes.ZSTD] = codecOf('zstd');
}
