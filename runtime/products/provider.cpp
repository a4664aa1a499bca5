#include "runtime/products/provider.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "graphrun/error.hpp"
#include "runtime/products/choose_product.hpp"
#include "runtime/products/few_channels_convolution.hpp"
#include "runtime/products/onednn.hpp"
#include "runtime/products/repeated_product.hpp"
#include "runtime/products/tiled_matmul.hpp"

namespace graphrun::runtime {
namespace {

/// A sum of columns rides where the rows of `b` are read anyway, as for a weight gradient.
bool may_sum_columns(const MatmulSpec& spec) {
  return spec.transpose_a && !spec.transpose_b;
}

// ---- Tiles ----

class TiledProducts final : public ProductProvider {
 public:
  explicit TiledProducts(Isa isa) : isa_(isa) {}

  ProductCapabilities capabilities(const MatmulSpec& spec) const override {
    if (!has_tiles(isa_) || spec.bf16) return {};
    return {.runs = true,
            .activation = true,
            .column_sums = may_sum_columns(spec),
            .fewest_part_rows = 28,  // two of the tallest tiles
            .paying_part_rows = isa_ == Isa::avx2 ? 512 : 0,
            .rows_alone = true};
  }
  std::unique_ptr<Matmul> make(const MatmulSpec& spec) const override {
    return make_tiled_matmul(spec, isa_);
  }

 private:
  Isa isa_;
};

// ---- oneDNN ----

/// What a product has beside it, our own kernels do; on the oldest instruction set they do not pay.
class OneDnnProducts final : public ProductProvider {
 public:
  explicit OneDnnProducts(Isa isa) : isa_(isa) {}

  ProductCapabilities capabilities(const MatmulSpec& spec) const override {
    const bool own_kernels = isa_ != Isa::baseline;
    if (spec.bf16) return {.runs = has_bf16(isa_), .activation = true, .fewest_part_rows = 256};
    return {.runs = true,
            .activation = true,
            .column_sums = own_kernels && may_sum_columns(spec),
            .fewest_part_rows = own_kernels ? 64 : 0,  // fewer do not pay for reading `b` again
            .rows_alone = false};
  }
  std::unique_ptr<Matmul> make(const MatmulSpec& spec) const override {
    return make_onednn_matmul(spec, isa_);
  }

 private:
  Isa isa_;
};

class OneDnnConvolutions final : public ConvolutionProvider {
 public:
  bool runs(const ConvolutionSpec& spec) const override { return !spec.bf16 || has_bf16(); }
  std::unique_ptr<Convolution> make(const ConvolutionSpec& spec) const override {
    return make_onednn_convolution(spec);
  }
};

class FewChannelsConvolutions final : public ConvolutionProvider {
 public:
  bool runs(const ConvolutionSpec& spec) const override { return makes_few_channels(spec); }
  std::unique_ptr<Convolution> make(const ConvolutionSpec& spec) const override {
    return make_few_channels_convolution(spec);
  }
};

class OneDnnEltwise final : public EltwiseProvider {
 public:
  bool runs(const EltwiseSpec& spec) const override {
    return spec.count > 0 && spec.count <= onednn_largest && lets_nan_through(spec.function);
  }
  std::unique_ptr<Eltwise> make(const EltwiseSpec& spec) const override { return make_onednn_eltwise(spec); }
};

// ---- The choice ----

constexpr std::array<std::string_view, 3> choice_names = {"auto", "onednn", "tiles"};

template <class Provider>
const ProductProvider& one_of(Isa isa) {
  static const std::array<Provider, isa_count> by_isa = {Provider(Isa::baseline), Provider(Isa::avx2),
                                                         Provider(Isa::avx512)};
  return by_isa.at(static_cast<std::size_t>(isa));
}

ProviderChoice from_environment() {
  const char* const word = std::getenv("GRAPHRUN_PROVIDER");
  return provider_choice(word == nullptr ? "" : word).value_or(ProviderChoice::automatic);
}

/// onednn or tiles.
ProviderChoice wanted_of(const MatmulSpec& spec, ProviderChoice choice, Isa isa) {
  const ProviderChoice wanted = effective(choice);
  return wanted == ProviderChoice::automatic ? choose_product(size_of(spec), isa) : wanted;
}

}  // namespace

std::string_view to_string(ProviderChoice choice) {
  return choice_names.at(static_cast<std::size_t>(choice));
}

std::optional<ProviderChoice> provider_choice(std::string_view word) {
  const auto* const found = std::ranges::find(choice_names, word);
  if (found == choice_names.end()) return std::nullopt;
  return static_cast<ProviderChoice>(found - choice_names.begin());
}

ProviderChoice effective(ProviderChoice choice) {
  static const ProviderChoice standing_in = from_environment();
  return choice == ProviderChoice::automatic ? standing_in : choice;
}

void require(Precision precision) {
  if (precision != Precision::bf16 || has_bf16()) return;
  throw Error(
      ErrorCode::usage,
      "this CPU has no instructions for bf16 (AVX512_BF16 or AMX); the precision f32 runs everywhere, "
      "and bf16-emulated has the same rounding, slowly");
}

const ProductProvider& product_provider(const MatmulSpec& spec, ProviderChoice choice, Isa isa) {
  const ProviderChoice wanted = wanted_of(spec, choice, isa);
  const ProductProvider& library = one_of<OneDnnProducts>(isa);
  const ProductProvider& tiles = one_of<TiledProducts>(isa);
  return wanted == ProviderChoice::tiles && tiles.capabilities(spec).runs ? tiles : library;
}

std::unique_ptr<RepeatedProduct> make_repeated_product(const MatmulSpec& spec, ProviderChoice choice,
                                                       Isa isa) {
  if (!has_tiles(isa)) return nullptr;
  return wanted_of(spec, choice, isa) == ProviderChoice::tiles ? make_tiled_repeated(spec, isa)
                                                               : make_onednn_repeated(spec, isa);
}

const ConvolutionProvider& convolution_provider(const ConvolutionSpec& spec, ProviderChoice choice) {
  static const OneDnnConvolutions library;
  static const FewChannelsConvolutions few_channels;
  const bool all_in_library = effective(choice) == ProviderChoice::onednn;
  return !all_in_library && few_channels.runs(spec) ? static_cast<const ConvolutionProvider&>(few_channels)
                                                    : library;
}

const EltwiseProvider* eltwise_provider(const EltwiseSpec& spec, ProviderChoice choice) {
  static const OneDnnEltwise library;
  return effective(choice) == ProviderChoice::onednn && library.runs(spec) ? &library : nullptr;
}

bool is_reference_implementation(std::string_view name) {
  return name.starts_with("oneDNN ref");
}

}  // namespace graphrun::runtime
