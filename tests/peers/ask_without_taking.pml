/* The patch as posted: a question is no promise. Kernel-facts 1b X4. */
inline enough_space(me, yes) { yes = (free_blocks > 0) }
#include "race.pml"
