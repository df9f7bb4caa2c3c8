#include "experiment/environment.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include "device/select.h"
#include "io/processors.h"
#include "kernels/switch.h"
#include "kernels/tile_product.h"

namespace avbench::experiment {

io::Json environment(c10::Device device) {
  const io::Processors found = io::processors();
  return {{"device", device::name_of(device)},
          {"libtorch", TORCH_VERSION},
          {"kernels", kernels::enabled() ? kernels::instruction_set() : "off"},
          {"threads", at::get_num_threads()},
          {"processors", found.logical},
          {"quota", found.quota}};
}

}  // namespace avbench::experiment
