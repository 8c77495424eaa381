// The standard library's make_unique under Abseil's name.
#pragma once

#include <memory>

namespace absl
{
	using std::make_unique;
} // namespace absl
