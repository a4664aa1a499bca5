#include "api/boundary.hpp"

#include <new>
#include <stdexcept>
#include <system_error>

#include "graphrun/error.hpp"

namespace graphrun::api {
namespace {

/// Made when the library is loaded: a copy allocates nothing, since it shares the text of what() and keeps
/// short texts in itself.
const Error out_of_memory(ErrorCode::memory, "out of memory");

[[noreturn]] void throw_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const HostException& exception) {
    std::rethrow_exception(exception.thrown);
  } catch (const std::bad_alloc&) {
    throw Error(out_of_memory);
  } catch (const std::length_error&) {  // more elements than memory could ever hold
    throw Error(out_of_memory);
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::io, error.what());
  } catch (const std::exception& error) {
    throw Error(ErrorCode::internal, error.what());
  }
}

}  // namespace

void rethrow_as_error() {
  try {
    throw_as_error();
  } catch (const std::bad_alloc&) {  // for the text of another error
    throw Error(out_of_memory);
  }
}

}  // namespace graphrun::api
