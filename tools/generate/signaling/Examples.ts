/** A message as it was on the wire. */
type Message = Readonly<Record<string, unknown>>;
type Exchange = { readonly request: Message; readonly response: Message };

/** What `make record` keeps of a meeting: the first of each message. */
export type Examples = {
  readonly requests: Readonly<Record<string, Exchange>>;
  /** A request that failed. */
  readonly refused: Exchange;
  /** A `joinRoom` that went on with a session. */
  readonly resumed: Exchange;
  readonly notifications: Readonly<Record<string, Message>>;
};
