import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reservations } from './Reservations.ts';

const SECOND = 1000;

test('a peer that was assigned is awaited until it comes', () => {
  const reservations = new Reservations();
  reservations.update(0, 0);
  assert.equal(reservations.outstanding(0), 0);
  reservations.update(3, 10 * SECOND);
  assert.equal(reservations.outstanding(10 * SECOND), 3);
  reservations.use('room', 'a', 9 * SECOND);
  reservations.use('room', 'a', 9 * SECOND);
  reservations.use('room', 'b', 10 * SECOND);
  assert.equal(reservations.outstanding(20 * SECOND), 1);
});

test('a peer that does not come within the life of its token is awaited no more', () => {
  const reservations = new Reservations();
  reservations.update(2, 0);
  reservations.use('room', 'a', 0);
  reservations.update(5, 30 * SECOND);
  assert.equal(reservations.outstanding(59 * SECOND), 4);
  assert.equal(reservations.outstanding(60 * SECOND), 3);
  reservations.update(5, 80 * SECOND);
  reservations.update(5, 89 * SECOND);
  assert.equal(reservations.outstanding(89 * SECOND), 3);
  reservations.update(6, 90 * SECOND);
  assert.equal(reservations.outstanding(90 * SECOND), 1);
});

test('a new registration resets the count', () => {
  const reservations = new Reservations();
  reservations.update(7, 0);
  reservations.reset();
  assert.deepEqual([reservations.assigned, reservations.outstanding(0)], [0, 0]);
});

test('a peer that joins with several tokens takes one reservation', () => {
  const reservations = new Reservations();
  reservations.update(0, 0);
  reservations.update(3, 10 * SECOND);
  for (let time = 10; time < 30; time++) reservations.use('room', 'a', time * SECOND);
  assert.equal(reservations.outstanding(30 * SECOND), 2);
  reservations.use('other room', 'a', 30 * SECOND);
  assert.equal(reservations.outstanding(30 * SECOND), 1);
});
