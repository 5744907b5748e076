#include "cs2.h"

#include <algorithm>
#include <vector>

#include <s2/s1angle.h>
#include <s2/s2cap.h>
#include <s2/s2cell_id.h>
#include <s2/s2earth.h>
#include <s2/s2latlng.h>
#include <s2/s2region_coverer.h>

static_assert(CS2_EARTH_RADIUS == S2Earth::RadiusMeters(), "one radius for all");

static S2Point point(double latitude, double longitude) {
    return S2LatLng::FromDegrees(latitude, longitude).ToPoint();
}

uint64_t cs2_leaf(double latitude, double longitude) { return S2CellId(point(latitude, longitude)).id(); }

bool cs2_is_cell(uint64_t cell) { return S2CellId(cell).is_valid(); }
int32_t cs2_level(uint64_t cell) { return S2CellId(cell).level(); }
uint64_t cs2_parent(uint64_t cell, int32_t level) { return S2CellId(cell).parent(level).id(); }
uint64_t cs2_range_min(uint64_t cell) { return S2CellId(cell).range_min().id(); }
uint64_t cs2_range_max(uint64_t cell) { return S2CellId(cell).range_max().id(); }

int32_t cs2_cover(
    double latitude, double longitude, double radius, int32_t most, int32_t finest, uint64_t *cells, int32_t capacity) {
    S2RegionCoverer::Options options;
    options.set_max_cells(most);
    options.set_max_level(finest);
    std::vector<S2CellId> covering;
    S2Cap cap(point(latitude, longitude), S1Angle::Radians(radius / CS2_EARTH_RADIUS));
    S2RegionCoverer(options).GetCovering(cap, &covering);
    int32_t count = static_cast<int32_t>(covering.size());
    for (int32_t i = 0; i < std::min(count, capacity); i++) cells[i] = covering[i].id();
    return count;
}

double cs2_distance(double latitude, double longitude, double other_latitude, double other_longitude) {
    // By the cross and the dot product, which is exact near and far; S2LatLng::GetDistance is not, near antipodes.
    S1Angle angle(point(latitude, longitude), point(other_latitude, other_longitude));
    return angle.radians() * CS2_EARTH_RADIUS;
}
