/* net/community_id.h - has moved to base/, where records can reach it. */
#include "base/community_id.h"
