package import EventModel

/// 2026-11-01T12:00:00Z.
package let noon = Timestamp(1_793_534_400_000)

package func after(_ seconds: Int64) -> Timestamp { noon + .seconds(seconds) }
