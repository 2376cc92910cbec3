/* base/limits.h - the defaults of every bound, each one overridable in the
 * configuration and each with a counter in tally.h. At a limit the unit is lost
 * and counted, never the flow, never the process. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_ENCAP_DEPTH    8u
#define LIMIT_FRAG_BYTES     (4u << 20)
#define LIMIT_FRAG_AGE_S     30u
#define LIMIT_FLOWS          1000000u
#define LIMIT_PARKED_TOTAL   (256u << 20)
#define LIMIT_PARKED_PER_DIR (1u << 20)
#define LIMIT_IDENT_HELD     (8u << 10)  /* bytes per direction */
#define LIMIT_IDENT_TOTAL    (64u << 20) /* bytes of all connections of one worker */
#define LIMIT_ITEM           (64u << 10) /* method frame, header frame, key, short string */
#define LIMIT_BODY           (16u << 20)
#define LIMIT_TAPS           16u /* larger bodies that are read to their end at once, all workers */
#define LIMIT_BUDGET         (1u << 30) /* all buffers of all workers together */
#define LIMIT_CHANNELS       256u
#define LIMIT_PENDING        65536u
#define LIMIT_NESTING        32u
#define LIMIT_UNWRAP_DEPTH   4u
#define LIMIT_UNWRAP_KEPT    (8u << 20)
#define LIMIT_UNWRAP_RATIO   200u
#define LIMIT_UNWRAP_TOTAL   (1u << 30)
#define LIMIT_ARENA          (16u << 20)
#define LIMIT_EVIDENCE       512u
#define LIMIT_ELEMENTS       1048576u /* elements of one RESP value or AMQP table tree, in all */

#endif
