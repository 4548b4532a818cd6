/* Linux 2.6.9: nobody is asked, everybody is let through. Kernel-facts 1a.3. */
inline enough_space(me, yes) { yes = true }
#include "race.pml"
