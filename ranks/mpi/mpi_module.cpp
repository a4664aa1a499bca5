// MPI's collectives behind a table of C functions. The only file that sees mpi.h, in a module that is opened
// by processes that an MPI launcher has started, and by nobody else.
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>

#include "ranks/collectives.h"

namespace {

char failure_text[MPI_MAX_ERROR_STRING + 1];
char library_text[MPI_MAX_LIBRARY_VERSION_STRING + 1];

graphrun_outcome failed(int code) {
  int length = 0;
  MPI_Error_string(code, failure_text, &length);
  return graphrun_failed;
}

/// Waits for others in turns with whoever shares the core, where MPI's own wait would keep it; and asleep
/// when they take their time, as one does that draws pictures.
graphrun_outcome wait_for(MPI_Request* request, graphrun_give_up give_up, void* context) {
  constexpr unsigned busy_turns = 200;
  constexpr unsigned turns_awake = 20'000;
  constexpr unsigned turns_to_a_question = 64;
  constexpr timespec nap{0, 100'000};
  for (unsigned turn = 1;; ++turn) {
    int done = 0;
    if (const int code = MPI_Test(request, &done, MPI_STATUS_IGNORE); code != MPI_SUCCESS)
      return failed(code);
    if (done != 0) return graphrun_done;
    if (turn > turns_awake)
      nanosleep(&nap, nullptr);
    else if (turn > busy_turns)
      sched_yield();
    if (turn % turns_to_a_question == 0 && give_up(context) != 0) return graphrun_given_up;
  }
}

/// All that was begun; a finished one leaves its place to another.
std::deque<MPI_Request> requests;

MPI_Request* new_request(int* number) {
  auto free = std::find(requests.begin(), requests.end(), MPI_REQUEST_NULL);
  if (free == requests.end()) free = requests.insert(free, MPI_REQUEST_NULL);
  *number = static_cast<int>(free - requests.begin());
  return &*free;
}

graphrun_outcome outcome_of(int code) {
  return code == MPI_SUCCESS ? graphrun_done : failed(code);
}

graphrun_outcome begin_exchange(const float* send, graphrun_layout send_layout, float* receive,
                                graphrun_layout receive_layout, int* request) {
  return outcome_of(MPI_Ialltoallv(send, send_layout.counts, send_layout.offsets, MPI_FLOAT, receive,
                                   receive_layout.counts, receive_layout.offsets, MPI_FLOAT, MPI_COMM_WORLD,
                                   new_request(request)));
}

graphrun_outcome begin_gather(const void* own, int bytes, void* all, graphrun_layout layout, int* request) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const bool in_place = own == static_cast<const char*>(all) + layout.offsets[rank];
  return outcome_of(MPI_Iallgatherv(in_place ? MPI_IN_PLACE : own, bytes, MPI_BYTE, all, layout.counts,
                                    layout.offsets, MPI_BYTE, MPI_COMM_WORLD, new_request(request)));
}

graphrun_outcome begin_largest(int* number, int* request) {
  return outcome_of(
      MPI_Iallreduce(MPI_IN_PLACE, number, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, new_request(request)));
}

graphrun_outcome wait_for_request(int request, graphrun_give_up give_up, void* context) {
  return wait_for(&requests[static_cast<std::size_t>(request)], give_up, context);
}

void abort_all(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const int graphrun_collectives_version =
    GRAPHRUN_COLLECTIVES_VERSION;

extern "C" __attribute__((visibility("default"))) int graphrun_open_collectives(
    graphrun_collectives* collectives) {
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) return 1;
  if (provided < MPI_THREAD_SERIALIZED) return 1;
  // A rank that is gone is told of, not died of.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_size(MPI_COMM_WORLD, &collectives->ranks);
  MPI_Comm_rank(MPI_COMM_WORLD, &collectives->rank);
  int length = 0;
  MPI_Get_library_version(library_text, &length);
  library_text[std::strcspn(library_text, ",\n")] = '\0';
  collectives->begin_exchange = begin_exchange;
  collectives->begin_gather = begin_gather;
  collectives->begin_largest = begin_largest;
  collectives->wait = wait_for_request;
  collectives->failure = [] { return static_cast<const char*>(failure_text); };
  collectives->library = [] { return static_cast<const char*>(library_text); };
  collectives->finish = [] { MPI_Finalize(); };
  collectives->abort = abort_all;
  return 0;
}
