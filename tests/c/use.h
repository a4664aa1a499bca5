/* What the files of the program in C share. */
#ifndef GRAPHRUN_TESTS_C_USE_H
#define GRAPHRUN_TESTS_C_USE_H

#include <graphrun/graphrun.h>

/* Prints what does not hold, with the library's last error, and counts it. */
void check(int holds, const char* what);
/* Has the library's last error this in it? */
int says(const char* part);
graphrun_session* new_session(const graphrun_model* model, uint64_t seed);

/* Fits a model to a table that it writes into the folder; `other` has learnt from none, and lies there in c.safetensors. */
void use_tables(const graphrun_model* other, const char* folder);

#endif
