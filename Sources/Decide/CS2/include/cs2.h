/// Cells and distances on a sphere: a plain C face of Google's S2 (s2geometry.io), which is C++.
///
/// Degrees come in and metres go out. No function checks what it is given or throws: the caller gives latitudes of -90 to
/// 90, longitudes of -180 to 180, levels of 0 to 30, and cells that `cs2_is_cell` takes for such.
#ifndef MILLRACE_CS2_H
#define MILLRACE_CS2_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The Earth's mean radius as S2's own S2Earth has it, in metres.
#define CS2_EARTH_RADIUS 6371010.0

/// The leaf cell (level 30, about a centimetre) that holds a point.
uint64_t cs2_leaf(double latitude, double longitude);

bool cs2_is_cell(uint64_t cell);
int32_t cs2_level(uint64_t cell);
/// The cell of a level, no finer than the given one's, that holds it.
uint64_t cs2_parent(uint64_t cell, int32_t level);
/// The first and the last leaf cell of a cell.
uint64_t cs2_range_min(uint64_t cell);
uint64_t cs2_range_max(uint64_t cell);

/// Covers all points that are at most `radius` metres from a centre with few cells; gives how many there are.
///
/// At most `capacity` are written. There may be more cells than `most`: up to 3 always, and up to 6 for a huge cap.
int32_t cs2_cover(
    double latitude, double longitude, double radius, int32_t most, int32_t finest, uint64_t *cells, int32_t capacity);

/// The length of the great circle's arc between two points, in metres, exact to about a nanometre.
double cs2_distance(double latitude, double longitude, double other_latitude, double other_longitude);

#ifdef __cplusplus
}
#endif
#endif
