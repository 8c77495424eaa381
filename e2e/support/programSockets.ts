import type { TestContext } from 'node:test';

/** Replaces a received message by others, which are delivered at once. */
type Hearing = (text: string) => readonly string[];

const asItComes: Hearing = (text) => [text];
let hearing = asItComes;

/** Changes the messages received over sockets that `connectThrough` redirects; without an argument they are unchanged. */
export function hear(changed: Hearing = asItComes): void {
  hearing = changed;
}

/** Redirects new WebSockets of this process to other ports, by the port that they would connect to. */
export function connectThrough(t: TestContext, ports: ReadonlyMap<string, number>): void {
  const Original = globalThis.WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(address: string | URL, protocols?: string | string[]) {
      const url = new URL(address);
      url.port = String(ports.get(url.port) ?? url.port);
      super(url, protocols);
    }
    override set onmessage(listener: (event: MessageEvent) => void) {
      super.onmessage = ({ data }) => {
        for (const text of hearing(String(data))) listener(new MessageEvent('message', { data: text }));
      };
    }
  };
  t.after(() => {
    globalThis.WebSocket = Original;
    hear();
  });
}
