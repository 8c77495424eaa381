/** The tests of media once more, with each room on two workers: nothing that a client sees depends on that. */
process.env.SPREAD = 'true';
await import('./media.test.ts');
