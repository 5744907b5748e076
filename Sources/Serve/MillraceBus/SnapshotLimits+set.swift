internal import EventModel
internal import Foundation
package import Snapshots

extension SnapshotLimits {
    /// As the environment sets them.
    package static func set() throws -> SnapshotLimits {
        let settings = Settings(environment: ProcessInfo.processInfo.environment)
        var limits = SnapshotLimits()
        do throws(Malformed) {
            limits.every = Int64(
                try settings.integer("snapshots.every", default: Int(limits.every), in: 0...1_000_000_000_000))
            limits.kept = try settings.integer("snapshots.kept", default: limits.kept, in: 0...1000)
        } catch {
            throw BusError(.configuration, error.message)
        }
        return limits
    }
}
