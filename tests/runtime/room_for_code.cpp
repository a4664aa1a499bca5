// Where oneDNN cannot have the memory that it generates code in.

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "runtime/products/onednn.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::runtime;

namespace {

/// While it lives, the process may take so many bytes of addresses more, and no others.
class TightAddressSpace {
 public:
  explicit TightAddressSpace(std::size_t bytes) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    ::getrlimit(RLIMIT_AS, &old_);
    const rlimit limit{pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  ~TightAddressSpace() { ::setrlimit(RLIMIT_AS, &old_); }
  TightAddressSpace(const TightAddressSpace&) = delete;
  TightAddressSpace& operator=(const TightAddressSpace&) = delete;

 private:
  rlimit old_{};
};

}  // namespace

TEST_CASE("where oneDNN has no room for its code, that is said") {
  MatmulSpec spec;
  spec.rows = 8;
  spec.columns = 16;
  spec.inner = 4;
  make_onednn_matmul(spec);  // the library is open from here on
  const TightAddressSpace tight(std::size_t{4} << 20U);
  CHECK(testing::throws([&] { make_onednn_matmul(spec); }, ErrorCode::memory,
                        "there is not enough memory for the code that oneDNN generates"));
}
