#include "api/type.hpp"

namespace graphrun::api {

ElementType element_type_of(DType dtype) {
  switch (dtype) {
    case DType::i32:
      return ElementType::i32;
    case DType::u8:
      return ElementType::u8;
    case DType::f32:
    case DType::f64:
    case DType::none:
      return ElementType::f32;
  }
  return ElementType::f32;
}

TensorInfo info_of(const std::string& name, const Type& type) {
  TensorInfo info{name, element_type_of(type.dtype), {}};
  for (const Dim& dim : type.shape) info.shape.push_back(dim.is_number() ? dim.offset : batch_axis);
  return info;
}

runtime::ProviderChoice provider_choice(Provider provider) {
  switch (provider) {
    case Provider::automatic:
      return runtime::ProviderChoice::automatic;
    case Provider::onednn:
      return runtime::ProviderChoice::onednn;
    case Provider::tiles:
      return runtime::ProviderChoice::tiles;
  }
  return runtime::ProviderChoice::automatic;
}

}  // namespace graphrun::api
