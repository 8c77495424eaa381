import type { TestContext } from 'node:test';

/** What is heard, at once, in place of a message. */
type Hearing = (text: string) => readonly string[];

const asItComes: Hearing = (text) => [text];
let hearing = asItComes;

/** Changes what comes over the sockets that `connectThrough` has changed; without an argument it comes as it is again. */
export function hear(changed: Hearing = asItComes): void {
  hearing = changed;
}

/** Has the sockets of this process go to other ports, by the ports that they are opened to. */
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
