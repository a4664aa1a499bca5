#include "files/file.hpp"
#include "files/sha256.hpp"
#include "files/sha256_instructions.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::files;

TEST_CASE("SHA-256 of the vectors of FIPS 180") {
  CHECK(sha256({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256(as_bytes("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(Bytes(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 is the same with and without the processor's instructions for it") {
  if (!has_sha_instructions()) return;
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 128U, 1000U, 100000U}) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 167 + i / 256);
    Sha256 with(true);
    Sha256 without(false);
    with.update(bytes);
    without.update(bytes);
    CHECK(with.finish() == without.finish());
  }
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut, around every block boundary") {
  for (const std::size_t size : {1U, 55U, 56U, 57U, 63U, 64U, 65U, 119U, 120U, 127U, 128U, 200U}) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37);
    const std::string whole = sha256(bytes);
    for (std::size_t cut = 0; cut <= size; ++cut) {
      Sha256 sum;
      sum.update(std::span(bytes).first(cut));
      sum.update(std::span(bytes).subspan(cut));
      REQUIRE(sum.finish() == whole);
    }
  }
}
