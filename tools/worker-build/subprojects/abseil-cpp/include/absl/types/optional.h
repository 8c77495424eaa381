// The standard library's optional under Abseil's name.
#pragma once

#include <optional>

namespace absl
{
	using std::nullopt;
	using std::optional;
} // namespace absl
