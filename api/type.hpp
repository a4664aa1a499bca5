/// \file
/// Between the types of the graph and those of the public interface.
#pragma once

#include <string>

#include "graph/op.hpp"
#include "graph/type.hpp"
#include "graphrun/model.hpp"
#include "graphrun/products.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::api {

ElementType element_type_of(DType dtype);
/// An axis that is a multiple of the batch is shown as the batch.
TensorInfo info_of(const std::string& name, const Type& type);

runtime::ProviderChoice provider_choice(Provider provider);

}  // namespace graphrun::api
