// The worker's counters: a page of shared memory that the media daemon reads through /proc/PID/fd. A worker without
// batches (the authors' own build) has no such descriptor.
#ifndef BATCH_COUNTERS_H
#define BATCH_COUNTERS_H

#include <stdint.h>

enum batch_state {
	BATCH_OFF = 0,
	// One sendmmsg() sends the datagrams of one turn, each as a message: segmentation is off for good.
	BATCH_SINGLE = 1,
	BATCH_SEGMENTED = 2,
};

// media-daemon/src/workers/WorkerBatch.ts reads this layout. Another one needs another magic.
struct batch_counters {
	char magic[8];
	uint64_t state;
	// Datagrams that the kernel accepted, and the messages that carried them.
	uint64_t datagrams;
	uint64_t messages;
	// Messages that the kernel refused because of their destination, and the datagrams lost with them.
	uint64_t refused_messages;
	uint64_t refused_datagrams;
	// Datagrams dropped because the socket accepted nothing for too long, or closed before it did.
	uint64_t dropped_datagrams;
	// Destinations that accept datagrams, but not segments. Each counts once until it accepts segments again.
	uint64_t refused_segmentation;
};

// Never null. Where memory cannot be shared, the daemon sees none of it.
extern struct batch_counters *batch_counters;

#endif
