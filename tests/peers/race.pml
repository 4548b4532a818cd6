/* The last block, as SPIN sees it: TASKS programs store to a hole each, BLOCKS blocks are free, and a flusher writes.
   Who includes this says what enough_space(me, yes) does. Facts: 1a.14, 1b X4, 1c.5, 7.2. */
#ifndef TASKS
#define TASKS 2
#endif
#ifndef BLOCKS
#define BLOCKS 1
#endif

byte free_blocks = BLOCKS;
byte ended = 0;
bool allocated[TASKS];	/* the page has its block */
bool accepted[TASKS];	/* the store was let through */
bool dirty[TASKS];
bool on_disk[TASKS];

active [TASKS] proctype program()
{
	bool yes;

	enough_space(_pid, yes);
	if
	:: yes ->
		accepted[_pid] = true;	/* the entry is writable, and the store goes through */
		dirty[_pid] = true
	:: else	/* SIGBUS */
	fi;
	ended++
}

active proctype flusher()
{
	byte page = 0;

	do
	:: page < TASKS && dirty[page] ->
		dirty[page] = false;	/* clear_page_dirty_for_io */
		if
		:: allocated[page] -> on_disk[page] = true
		:: else ->
			if
			:: atomic { free_blocks > 0 -> free_blocks-- }; allocated[page] = true; on_disk[page] = true
			:: else	/* ENOSPC: the page stays clean */
			fi
		fi
	:: page < TASKS && !dirty[page] && ended == TASKS -> page++
	:: page == TASKS -> break
	od;
	page = 0;
	do
	:: page < TASKS -> assert(!accepted[page] || on_disk[page]); page++
	:: else -> break
	od
}
