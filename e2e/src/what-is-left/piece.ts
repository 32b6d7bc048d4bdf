/** Some bytes that the platform has left behind. */
export interface Piece {
  /** Where they are, for whoever has to look. */
  readonly where: string;
  readonly bytes: Uint8Array;
}
