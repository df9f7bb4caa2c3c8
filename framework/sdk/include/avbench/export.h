#pragma once

// Everything else in the host and in a plugin is compiled with hidden visibility.
#define AVBENCH_EXPORT __attribute__((visibility("default")))
