/// A library that is loaded before all others (LD_PRELOAD) and gives a process another time of day: the machine's and
/// SKEWED_CLOCK seconds. What measures durations, and so every timer, goes on as it is, as on a machine whose clock is wrong.
#pragma once
