internal import Synchronization

/// Which loads wait for which others: a load may ask for another key, which is loaded in turn. Where that would come back to where it began,
/// all would wait for ever, so the last one to ask is told instead.
enum LoadsWithin {
    /// The loads that this task is part of, the outermost first.
    @TaskLocal static var current: [any AnyObject & Sendable] = []

    /// Of each load, for which others somebody within it waits, and how many do.
    private static let waits = Mutex<[ObjectIdentifier: [ObjectIdentifier: Int]]>([:])

    /// Notes that this task waits for a load, unless that load waits for this task.
    static func wait(for load: any AnyObject & Sendable) -> Bool {
        let (own, target) = (Set(current.map(ObjectIdentifier.init)), ObjectIdentifier(load))
        if own.isEmpty { return true }
        return waits.withLock { waits in
            var (seen, next) = (Set([target]), [target])
            while let one = next.popLast() {
                if own.contains(one) { return false }
                for other in (waits[one] ?? [:]).keys where seen.insert(other).inserted { next.append(other) }
            }
            for one in own { waits[one, default: [:]][target, default: 0] += 1 }
            return true
        }
    }

    static func hasWaited(for load: any AnyObject & Sendable) {
        let (own, target) = (Set(current.map(ObjectIdentifier.init)), ObjectIdentifier(load))
        if own.isEmpty { return }
        waits.withLock { waits in
            for one in own {
                waits[one]?[target, default: 1] -= 1
                if waits[one]?[target] == 0 { waits[one]?[target] = nil }
                if waits[one]?.isEmpty == true { waits[one] = nil }
            }
        }
    }

    /// How many loads wait for others.
    static var count: Int { waits.withLock { $0.count } }
}

/// A load asked, itself or through others, for what it is loading. It would have waited for itself.
public struct LoadWaitsForItself: Error, Sendable, Hashable, CustomStringConvertible {
    public let key: String
    public var description: String {
        "the load of \(key) asks for \(key) itself, or for what waits for it; a load must not need its own outcome"
    }
}
