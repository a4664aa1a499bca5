/* What graphrun asks of a library for message passing: a table that the module of that library fills. It is C, so
   that the module may be made by another compiler, and holds nothing of MPI's, so that nobody needs its headers but
   the module. All calls are collective and come from one thread at a time. */
#ifndef GRAPHRUN_RANKS_COLLECTIVES_H
#define GRAPHRUN_RANKS_COLLECTIVES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One more with each change below. */
#define GRAPHRUN_COLLECTIVES_VERSION 1

/* Asked now and then while a call waits for others: not 0 ends the wait. */
typedef int (*graphrun_give_up)(void* context);

enum graphrun_outcome {
  graphrun_done = 0,
  graphrun_given_up = 1, /* the table may not be used again, but for abort */
  graphrun_failed = 2    /* the same; failure() says why */
};

/* Of a send or a receive: for each rank how many elements, and where they begin. */
struct graphrun_layout {
  const int* counts;
  const int* offsets;
};

struct graphrun_collectives {
  int ranks;
  int rank;
  /* These begin what wait() ends, all ranks in the same order. Memory and layouts stay until then. `request` gets a
     number for it. */
  /* To each rank its part of `send`; `receive` takes the parts that all ranks have for this one. */
  enum graphrun_outcome (*begin_exchange)(const float* send, struct graphrun_layout send_layout, float* receive,
                                          struct graphrun_layout receive_layout, int* request);
  /* Everybody's bytes, one rank's behind the other's. `own` is this rank's; it may lie in `all`, in its place. */
  enum graphrun_outcome (*begin_gather)(const void* own, int bytes, void* all, struct graphrun_layout layout,
                                        int* request);
  /* The largest number that a rank has. */
  enum graphrun_outcome (*begin_largest)(int* number, int* request);
  enum graphrun_outcome (*wait)(int request, graphrun_give_up give_up, void* context);
  const char* (*failure)(void);
  const char* (*library)(void); /* its name and version, one line */
  void (*finish)(void);         /* once, when all ranks have done their work */
  void (*abort)(int code);      /* ends all ranks with this code; does not return */
};

/* Of the two symbols of a module, "graphrun_collectives_version" is the number above, by which a module of another
   build is known before it is called: an int. */

/* The other one, "graphrun_open_collectives": joins the other ranks, and fills the table. 0, or not 0 when that is not
   possible. */
typedef int (*graphrun_open)(struct graphrun_collectives* collectives);

#ifdef __cplusplus
}
#endif
#endif
