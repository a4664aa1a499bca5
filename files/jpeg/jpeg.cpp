#include "files/jpeg/jpeg.hpp"

#include <fmt/format.h>

#include "files/file.hpp"

#ifdef GRAPHRUN_HAS_JPEG

#include <jpeglib.h>  // needs <cstdio> before it

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "files/believable.hpp"
#include "files/jpeg/orientation.hpp"

// As in png.cpp: libjpeg's errors come by longjmp, so what it may leave has trivial objects only.

namespace graphrun::files {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> message;
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, manager->message.data());
  std::longjmp(manager->back, 1);
}

/// Warnings are of damage that libjpeg paints over: a cut file becomes grey from there on. That is no
/// picture.
void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}

template <class Calls>
bool guarded(ErrorManager& manager, const Calls& calls) {
  if (setjmp(manager.back) != 0) return false;
  calls();
  return true;
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> file) {
    state_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    good_ = guarded(errors_, [&] {
      jpeg_create_decompress(&state_);
      jpeg_mem_src(&state_, file.data(), static_cast<unsigned long>(file.size()));
      jpeg_read_header(&state_, TRUE);
      is_for_print_ = state_.jpeg_color_space == JCS_CMYK || state_.jpeg_color_space == JCS_YCCK;
      if (is_for_print_) return;
      state_.out_color_space = state_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
      jpeg_calc_output_dimensions(&state_);
    });
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&state_); }

  bool is_good() const { return good_; }
  bool is_for_print() const { return is_for_print_; }
  const char* message() const { return errors_.message.data(); }
  Image sized() const {
    return {
        state_.output_height, state_.output_width, static_cast<std::size_t>(state_.output_components), {}};
  }
  bool read(std::uint8_t* pixels, std::size_t row_bytes) {
    return guarded(errors_, [&] {
      jpeg_start_decompress(&state_);
      while (state_.output_scanline < state_.output_height) {
        JSAMPROW row = pixels + state_.output_scanline * row_bytes;
        jpeg_read_scanlines(&state_, &row, 1);
      }
      jpeg_finish_decompress(&state_);
    });
  }

 private:
  jpeg_decompress_struct state_{};
  ErrorManager errors_{};
  bool good_ = false;
  bool is_for_print_ = false;
};

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> file, const std::filesystem::path& path) {
  Decoder decoder(file);
  const auto damaged = [&] {
    return data_error(path, fmt::format("is no JPEG picture that can be read: {}", decoder.message()));
  };
  if (!decoder.is_good()) throw damaged();
  if (decoder.is_for_print())
    throw data_error(path, "is a JPEG picture of the four colours of print (CMYK): save it as RGB or grey");
  Image image = decoder.sized();
  const std::size_t row_bytes = image.width * image.channels;
  // A flat picture takes one part in a hundred of its pixels, and no more than that is believed.
  if (row_bytes * image.height > believable(file.size()) * 4)
    throw data_error(path, fmt::format("says that it has {} x {} pixels, {}", image.width, image.height,
                                       beyond_belief(file.size())));
  image.pixels.resize(row_bytes * image.height);
  if (!decoder.read(image.pixels.data(), row_bytes)) throw damaged();
  return upright(std::move(image), orientation_of_jpeg(file));
}

}  // namespace graphrun::files

#else

namespace graphrun::files {

Image decode_jpeg(std::span<const std::uint8_t> /*file*/, const std::filesystem::path& path) {
  throw data_error(path, "is a JPEG picture, and this graphrun was built without libjpeg: convert it to PNG");
}

}  // namespace graphrun::files

#endif
