/* The idea corrected: the block is taken along with the answer. Kernel-facts 1c.4, 1c.5. */
inline enough_space(me, yes)
{
	atomic {
		if
		:: free_blocks > 0 -> free_blocks--; allocated[me] = true; yes = true
		:: else -> yes = false
		fi
	}
}
#include "race.pml"
