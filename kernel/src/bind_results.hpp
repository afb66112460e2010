// The Python face of what follows a simulation: read-out, sampling, text.
#pragma once

#include <nanobind/nanobind.h>

namespace ionbox {

void bind_results(nanobind::module_& module);

}  // namespace ionbox
