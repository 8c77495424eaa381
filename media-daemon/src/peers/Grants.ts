/** What a peer may do in its room. */
export type Grants = {
  /** Send audio and video. */
  readonly publish: boolean;
  /** Receive audio and video. */
  readonly subscribe: boolean;
  /** Send and receive messages, and on data channels. */
  readonly data: boolean;
};

/** What a peer may do where nobody's rights are told apart. */
export const ALL_GRANTED: Grants = Object.freeze({ publish: true, subscribe: true, data: true });
