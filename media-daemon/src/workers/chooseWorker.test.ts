import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseWorker } from './chooseWorker.ts';

const worker = (
  name: string,
  load: number,
  more: { hasRouter?: boolean; saturated?: boolean; peers?: number } = {},
) => ({
  name,
  load,
  hasRouter: false,
  saturated: false,
  peers: 0,
  ...more,
});

const cases = [
  {
    title: 'the room’s own worker, although another is idle',
    of: [worker('idle', 0), worker('own', 0.9, { hasRouter: true, peers: 50 })],
    chosen: 'own',
  },
  {
    title: 'another worker, when the room’s is saturated: the least loaded',
    of: [worker('own', 1, { hasRouter: true, saturated: true }), worker('busy', 0.6), worker('calm', 0.2)],
    chosen: 'calm',
  },
  {
    title: 'the less loaded of the room’s own workers',
    of: [worker('a', 0.8, { hasRouter: true }), worker('b', 0.3, { hasRouter: true }), worker('idle', 0)],
    chosen: 'b',
  },
  {
    title: 'the least loaded of all, when all are saturated',
    of: [worker('own', 1.4, { hasRouter: true, saturated: true }), worker('other', 1.1, { saturated: true })],
    chosen: 'other',
  },
  {
    title: 'that with fewer of the room’s peers, when the loads are about equal',
    of: [worker('a', 0.32, { hasRouter: true, peers: 4 }), worker('b', 0.34, { hasRouter: true, peers: 3 })],
    chosen: 'b',
  },
  {
    title: 'that which has a router, when all else is equal',
    of: [worker('a', 0, { saturated: true }), worker('b', 0, { hasRouter: true, saturated: true })],
    chosen: 'b',
  },
];

for (const { title, of, chosen } of cases)
  test(`\`chooseWorker\` gives ${title}`, () => assert.equal(chooseWorker(of)?.name, chosen));

test('`chooseWorker` of none gives none', () => assert.equal(chooseWorker([]), undefined));
