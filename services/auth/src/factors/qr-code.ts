import { correction, generate } from 'lean-qr';
import { toSvgSource } from 'lean-qr/extras/svg';

/**
 * A QR code as the source of an image, with the quiet zone that readers need (ISO/IEC 18004 §5.3.8).
 *
 * @param text - that it says
 * @returns a `data:` URL of an SVG
 */
export const qrCode = (text: string): string => {
  const code = generate(text, { minCorrectionLevel: correction.M });
  const svg = toSvgSource(code, { on: '#000', off: '#fff', pad: 4 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
};
