import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypedEmitter } from './events.ts';

class Counter extends TypedEmitter<{ count: [value: number] }> {
  add(value: number): void {
    this.emit('count', value);
  }
}

test('`on` calls listeners in order until they are removed', () => {
  const counter = new Counter();
  const seen: string[] = [];
  const remove = counter.on('count', (value) => seen.push(`a${value}`));
  counter.on('count', (value) => seen.push(`b${value}`));
  counter.add(1);
  remove();
  counter.add(2);
  assert.deepEqual(seen, ['a1', 'b1', 'b2']);
});
