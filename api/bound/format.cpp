// What fmt's own library holds. Debian has no static one, and a host's fmt may be another.
#include <fmt/format-inl.h>

namespace fmt_detail = fmt::detail;

template auto fmt_detail::dragonbox::to_decimal(float) noexcept -> fmt_detail::dragonbox::decimal_fp<float>;
template auto fmt_detail::dragonbox::to_decimal(double) noexcept -> fmt_detail::dragonbox::decimal_fp<double>;
template fmt_detail::locale_ref::locale_ref(const std::locale&);
template auto fmt_detail::locale_ref::get<std::locale>() const -> std::locale;
template auto fmt_detail::thousands_sep_impl(fmt_detail::locale_ref)
    -> fmt_detail::thousands_sep_result<char>;
template auto fmt_detail::decimal_point_impl(fmt_detail::locale_ref) -> char;
template void fmt_detail::buffer<char>::append(const char*, const char*);
