#include "files/png/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "files/believable.hpp"
#include "files/file.hpp"

// libpng reports errors by longjmp, which runs no destructors. So every function that longjmp may leave
// (the lambdas given to guarded(), and the callbacks) has only trivial objects of its own; everything that
// owns memory lives outside.

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_file = std::uint64_t{1} << 28;
constexpr png_alloc_size_t largest_chunk = 8'000'000;
constexpr std::size_t signature_bytes = 8;
constexpr int bits = 8;
/// Half the time of zlib's usual 6 for files that are 1 % larger: a sheet is drawn after each epoch.
constexpr int compression_level = 4;

using Message = std::array<char, 256>;

void on_error(png_structp png, png_const_charp text) {
  auto* message = static_cast<Message*>(png_get_error_ptr(png));
  std::strncpy(message->data(), text, message->size() - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// What libpng allocates; that there was no memory is remembered, for it is not the file's fault.
png_voidp allocate(png_structp png, png_alloc_size_t bytes) {
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) *static_cast<bool*>(png_get_mem_ptr(png)) = true;
  return memory;
}
void release(png_structp, png_voidp memory) {
  std::free(memory);
}

/// Runs calls of libpng; false if one failed.
template <class Calls>
bool guarded(png_structp png, const Calls& calls) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  calls();
  return true;
}

/// libpng's two structures, which live longer than any jump out of it.
struct Structures {
  using Destroy = void (*)(Structures&);
  explicit Structures(Destroy how) : destroy(how) {}
  Structures(const Structures&) = delete;
  Structures& operator=(const Structures&) = delete;
  ~Structures() { destroy(*this); }

  Message message{};
  bool out_of_memory = false;
  png_structp png = nullptr;
  png_infop info = nullptr;
  Destroy destroy;
};

/// Owns libpng's two structures for writing.
class Writer {
 public:
  std::vector<std::uint8_t> encode(const Image& image) {
    png_ = own_.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &own_.message, &on_error, &on_warning,
                                                &own_.out_of_memory, &allocate, &release);
    if (png_ != nullptr) info_ = own_.info = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    const bool done = guarded(png_, [&] {
      png_set_write_fn(png_, this, &Writer::on_bytes, &Writer::on_flush);
      const int kind = image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
                   bits, kind, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_set_compression_level(png_, compression_level);
      png_write_info(png_, info_);
      const std::size_t stride = image.width * image.channels;
      for (std::size_t row = 0; row < image.height; ++row)
        png_write_row(png_, image.pixels.data() + row * stride);
      png_write_end(png_, info_);
    });
    if (own_.out_of_memory) throw std::bad_alloc();
    if (!done) throw Error(ErrorCode::internal, fmt::format("libpng cannot encode: {}", own_.message.data()));
    return std::move(encoded_);
  }

 private:
  static void on_bytes(png_structp png, png_bytep bytes, std::size_t count) {
    auto* self = static_cast<Writer*>(png_get_io_ptr(png));
    try {
      self->encoded_.insert(self->encoded_.end(), bytes, bytes + count);
    } catch (const std::bad_alloc&) {
      self->own_.out_of_memory = true;
    }
    if (self->own_.out_of_memory) png_error(png, "out of memory");
  }
  static void on_flush(png_structp) {}

  Structures own_{[](Structures& own) { png_destroy_write_struct(&own.png, &own.info); }};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::vector<std::uint8_t> encoded_;
};

/// Owns libpng's two structures for reading a file in memory.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> file, const fs::path& path) : file_(file), rest_(file), path_(path) {}

  Image decode() {
    png_ = own_.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &own_.message, &on_error, &on_warning,
                                               &own_.out_of_memory, &allocate, &release);
    if (png_ != nullptr) info_ = own_.info = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    check(guarded(png_, [&] {
      png_set_read_fn(png_, this, &Reader::on_wanted);
      png_set_user_limits(png_, largest_png_side, largest_png_side);
      png_set_chunk_malloc_max(png_, largest_chunk);
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
      // Damage to the Adler sum of the pixels counts too.
      png_set_benign_errors(png_, 0);
      pass_over_all_but_pixels();
      png_read_info(png_, info_);
      ask_for_grey_or_colour();
      passes_ = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    }));
    Image image = empty_image();
    const std::size_t stride = png_get_rowbytes(png_, info_);
    if (stride * image.height != image.pixels.size())
      throw Error(ErrorCode::internal, "libpng gives rows of another length than it said");
    std::uint8_t* const pixels = image.pixels.data();
    check(guarded(png_, [&] {
      for (int pass = 0; pass < passes_; ++pass)
        for (std::size_t row = 0; row < image.height; ++row)
          png_read_row(png_, pixels + row * stride, nullptr);
      png_read_end(png_, nullptr);
    }));
    if (!rest_.empty()) throw data_error(path_, fmt::format("has {} bytes behind the picture", rest_.size()));
    if (has_alpha_) blend_onto_black(image);
    return image;
  }

 private:
  void check(bool done) const {
    if (own_.out_of_memory) throw std::bad_alloc();
    if (!done) throw data_error(path_, fmt::format("is a damaged PNG: {}", own_.message.data()));
  }

  /// Texts, dates, colour profiles (often wrong in pictures that are fine otherwise) and all chunks that
  /// libpng does not know. Their CRCs are checked all the same.
  void pass_over_all_but_pixels() {
    static constexpr std::array<png_byte, 5 * 16> passed_over{
        'b', 'K', 'G', 'D', 0, 'c', 'H', 'R', 'M', 0, 'e', 'X', 'I', 'f', 0, 'g', 'A', 'M', 'A', 0,
        'h', 'I', 'S', 'T', 0, 'i', 'C', 'C', 'P', 0, 'i', 'T', 'X', 't', 0, 'o', 'F', 'F', 's', 0,
        'p', 'C', 'A', 'L', 0, 'p', 'H', 'Y', 's', 0, 's', 'C', 'A', 'L', 0, 's', 'P', 'L', 'T', 0,
        's', 'R', 'G', 'B', 0, 't', 'E', 'X', 't', 0, 't', 'I', 'M', 'E', 0, 'z', 'T', 'X', 't', 0};
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, passed_over.data(),
                                static_cast<int>(passed_over.size() / 5));
  }

  /// 8 bits a channel; palettes as the colours that they stand for; transparency, of whatever kind, as a
  /// channel of its own.
  void ask_for_grey_or_colour() {
    png_set_expand(png_);
    png_set_scale_16(png_);
  }

  Image empty_image() {
    const int kind = png_get_color_type(png_, info_);
    has_alpha_ = (kind & PNG_COLOR_MASK_ALPHA) != 0;
    Image image;
    image.height = png_get_image_height(png_, info_);
    image.width = png_get_image_width(png_, info_);
    image.channels = (kind & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    const std::size_t bytes = image.height * image.width * (image.channels + (has_alpha_ ? 1 : 0));
    if (bytes > believable(file_.size())) {
      throw data_error(path_,
                       fmt::format("promises {} x {} pixels of {} bytes, {}", image.width, image.height,
                                   bytes / (image.height * image.width), beyond_belief(file_.size())));
    }
    image.pixels.resize(bytes);
    return image;
  }

  /// What is transparent shows black, in part or as a whole.
  static void blend_onto_black(Image& image) {
    std::uint8_t* to = image.pixels.data();
    for (const std::uint8_t* from = to; from != image.pixels.data() + image.pixels.size();) {
      const unsigned opacity = from[image.channels];
      for (std::size_t channel = 0; channel < image.channels; ++channel)
        *to++ = static_cast<std::uint8_t>((from[channel] * opacity + 127) / 255);
      from += image.channels + 1;
    }
    image.pixels.resize(image.height * image.width * image.channels);
  }

  static void on_wanted(png_structp png, png_bytep into, std::size_t count) {
    auto* self = static_cast<Reader*>(png_get_io_ptr(png));
    if (count > self->rest_.size()) png_error(png, "the file is cut off");
    std::copy_n(self->rest_.begin(), count, into);
    self->rest_ = self->rest_.subspan(count);
  }

  std::span<const std::uint8_t> file_;
  std::span<const std::uint8_t> rest_;
  const fs::path& path_;
  Structures own_{[](Structures& own) { png_destroy_read_struct(&own.png, &own.info, nullptr); }};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  bool has_alpha_ = false;
};

void check_image(const Image& image) {
  const bool sides = image.width >= 1 && image.width <= largest_png_side && image.height >= 1 &&
                     image.height <= largest_png_side;
  const bool channels = image.channels == 1 || image.channels == 3;
  if (sides && channels && image.pixels.size() == image.height * image.width * image.channels) return;
  throw Error(ErrorCode::usage,
              fmt::format("a picture of {} x {} pixels, {} channels and {} bytes cannot be a PNG",
                          image.width, image.height, image.channels, image.pixels.size()));
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Image& image) {
  check_image(image);
  return Writer().encode(image);
}

void write_png(const fs::path& path, const Image& image) {
  write_file(path, encode_png(image));
}

Image decode_png(std::span<const std::uint8_t> file, const fs::path& path) {
  if (file.size() < signature_bytes || png_sig_cmp(file.data(), 0, signature_bytes) != 0) {
    throw data_error(path, "is no PNG file");
  }
  return Reader(file, path).decode();
}

Image read_png(const fs::path& path) {
  return decode_png(read_file(path, largest_file), path);
}

}  // namespace graphrun::files
