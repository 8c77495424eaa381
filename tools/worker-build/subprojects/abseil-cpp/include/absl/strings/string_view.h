// The standard library's string_view under Abseil's name.
#pragma once

#include <string_view>

namespace absl
{
	using std::string_view;
} // namespace absl
