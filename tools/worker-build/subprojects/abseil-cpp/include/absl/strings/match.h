// libwebrtc includes this header and uses nothing of it.
#pragma once

#include "absl/strings/string_view.h"
