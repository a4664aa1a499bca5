/// \file
/// What a convolution and its two gradients share: x [n, height, width, in], k [kernel height, kernel width,
/// in / groups, out] and y [n, rows, columns, out], each of which is a product of the other two, their
/// meaning in f64, and their kernel.
#pragma once

#include "graph/term.hpp"
#include "ops/image/image_geometry.hpp"
#include "ops/op.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/products/convolution.hpp"

namespace graphrun::ops {

/// "stride", "pad", "dilation" and "groups".
std::vector<AttributeDeclaration> convolution_attributes(std::string stride, const std::string& pad);

/// The window of weights of this shape. Throws an OpError when they are not f32[number x 4].
Window convolution_window(const Type& weights, const Attributes& attributes);

/// Throws an OpError unless the images have the channels that the weights are for, in so many groups.
void require_channels(const Shape& images, Dim channels, const Shape& weights, std::int64_t groups = 1);

/// `all` channels in as many groups as the attribute says: those of one. Throws an OpError when it does not
/// divide them; `what` they are of.
Dim channels_of_group(Dim all, const Attributes& attributes, const std::string& what);
/// The channels of all groups that have so many each.
Dim channels_of_groups(Dim one, const Attributes& attributes);

/// The products as terms, with the window and groups of a node that is one of them: each is a gradient of the
/// others.
class ConvolutionTerms {
 public:
  explicit ConvolutionTerms(const Node& node);
  Term y(const Term& x, const Term& k) const;
  Term x(const Term& y, const Term& k, const Shape& like) const;
  Term k(const Term& x, const Term& y, const Shape& like) const;

 private:
  Attributes window_;
};

/// The op that is one of the products, from what its file says of its name, attributes, type, axes and
/// gradient.
Op convolution_op(OpDef op, runtime::ConvolutionKind kind);

/// What the call of such an op runs; null for any other call, and for weight gradients of no images.
const runtime::ConvolutionSpec* convolution_of(const runtime::Call& call);

}  // namespace graphrun::ops
