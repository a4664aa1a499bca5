/// \file
/// Who runs products, convolutions and single elementwise functions. Lowering asks providers what they can do
/// with a spec, and never who they are; which of them is asked first is one choice (ProviderChoice).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "graph/precision.hpp"
#include "runtime/machine/isa.hpp"
#include "runtime/products/convolution.hpp"
#include "runtime/products/eltwise.hpp"
#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

/// What a provider does with a product. Of a spec that it does not run, it does nothing else either.
struct ProductCapabilities {
  bool runs = false;         ///< makes products of these sizes and layouts, with a bias or without
  bool activation = false;   ///< and the spec's activation of what it made
  bool column_sums = false;  ///< and the sums of the columns of `b`
  /// It makes some of the rows as well as all, so many at least (MatmulSpec::a_stride); 0: it does not.
  std::int64_t fewest_part_rows = 0;
  std::int64_t paying_part_rows = 0;  ///< so many pay for what each part does again, such as copies of `b`
  bool rows_alone = false;  ///< and a row has the bits that it has alone, however many are made at once
};

class ProductProvider {
 public:
  virtual ~ProductProvider() = default;
  virtual ProductCapabilities capabilities(const MatmulSpec& spec) const = 0;
  /// Throws Error{internal} for what is beyond its capabilities.
  virtual std::unique_ptr<Matmul> make(const MatmulSpec& spec) const = 0;
};

class ConvolutionProvider {
 public:
  virtual ~ConvolutionProvider() = default;
  virtual bool runs(const ConvolutionSpec& spec) const = 0;
  virtual std::unique_ptr<Convolution> make(const ConvolutionSpec& spec) const = 0;
};

class EltwiseProvider {
 public:
  virtual ~EltwiseProvider() = default;
  virtual bool runs(const EltwiseSpec& spec) const = 0;
  virtual std::unique_ptr<Eltwise> make(const EltwiseSpec& spec) const = 0;
};

/// `automatic` takes for each product whom a table of instruction sets and sizes names (choose_product.cpp),
/// and runs elementwise functions in our own kernels; the others ask one provider first for all it can run.
enum class ProviderChoice : std::uint8_t { automatic, onednn, tiles };

std::string_view to_string(ProviderChoice choice);  ///< "auto", "onednn", "tiles"
/// Nothing for another word.
std::optional<ProviderChoice> provider_choice(std::string_view word);

/// The choice itself; for `automatic`, what `GRAPHRUN_PROVIDER=onednn|tiles` says (tests).
ProviderChoice effective(ProviderChoice choice);

/// Throws Error{usage} where this CPU has no instructions for a precision.
void require(Precision precision);

/// Who makes this product. Providers are immutable and there from the first use to the end.
const ProductProvider& product_provider(const MatmulSpec& spec, ProviderChoice choice, Isa isa);
/// Who runs this convolution: a product and sums of our own where it makes few channels, unless oneDNN is
/// asked for; oneDNN all others.
const ConvolutionProvider& convolution_provider(const ConvolutionSpec& spec, ProviderChoice choice);
/// Who runs this function; null: our own vector kernels.
const EltwiseProvider* eltwise_provider(const EltwiseSpec& spec, ProviderChoice choice);

/// Whether an implementation is the library's slow reference: a bug in our choice of layouts.
bool is_reference_implementation(std::string_view name);

}  // namespace graphrun::runtime
