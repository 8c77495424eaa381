// What the worker tells of its batching: a page of shared memory that the media daemon reads through /proc/PID/fd.
// A worker without this file (the authors' own build) has no such descriptor, which is how the daemon tells them apart.
#ifndef BATCH_COUNTERS_H
#define BATCH_COUNTERS_H

#include <stdint.h>

enum batch_state {
	BATCH_OFF = 0,
	// Datagrams of one turn go out in one sendmmsg(), each on its own: segmentation is refused for good.
	BATCH_SINGLE = 1,
	BATCH_SEGMENTED = 2,
};

// media-daemon/src/workers/WorkerBatch.ts reads this layout. Another one needs another magic.
struct batch_counters {
	char magic[8];
	uint64_t state;
	// Datagrams and the messages that carried them, as far as the kernel took them.
	uint64_t datagrams;
	uint64_t messages;
	// Messages that the kernel refused for a reason that concerns their destination, and the datagrams lost with them.
	uint64_t refused_messages;
	uint64_t refused_datagrams;
	// Datagrams dropped since the socket took nothing for too long, or closed meanwhile.
	uint64_t dropped_datagrams;
	// Destinations that take datagrams, but not segmentation.
	uint64_t refused_segmentation;
};

// Never null: ordinary memory where there is no shared one.
extern struct batch_counters *batch_counters;

#endif
