/// The hit ratio of LRU at every capacity, from one pass: a request is a hit where at most so many other keys were asked for since the same
/// key was (Mattson, Gecsei, Slutz and Traiger, "Evaluation techniques for storage hierarchies", IBM Systems Journal 1970). How many
/// that were is counted in a tree of partial sums over time (Bennett and Kruskal 1975; Fenwick 1994), so a request costs O(log n).
///
/// With a sample below one, only keys whose hash is below a threshold are looked at, and distances are scaled (SHARDS: Waldspurger, Park,
/// Garthwaite and Ahmad, FAST 2015, with the correction that they call SHARDS-adj).
public struct MissRatioCurve: Sendable {
    /// Requests that have a reuse distance of so many keys, by distance; the sample's.
    private let cumulated: [Double]
    private let scale: Double
    public let requests: Int
    /// How many of them were looked at.
    public let sampled: Int
    /// How many keys differ, estimated from the sample.
    public let distinct: Int

    /// - Parameter sample: The share of keys that are looked at, above 0 and up to 1.
    public init(lru trace: Trace, sample: Double = 1) {
        let part = trace.sampled(sample)
        let keys = part.keys
        var histogram = [Double](repeating: 0, count: part.distinct + 1)
        var marks = PartialSums(count: keys.count)
        var last = [Int32](repeating: -1, count: part.distinct)
        var live = 0
        for (now, key) in keys.enumerated() {
            let before = last[Int(key)]
            if before >= 0 {
                // All keys have one mark, at their last request: those behind this key's are the others asked for since.
                histogram[live - marks.sum(through: Int(before))] += 1
                marks.add(-1, at: Int(before))
            } else {
                live += 1
            }
            marks.add(1, at: now)
            last[Int(key)] = Int32(now)
        }
        let wanted = Double(trace.keys.count) * min(1, sample)
        if sample < 1, part.distinct > 0 { histogram[0] += wanted - Double(keys.count) }
        var sum = 0.0
        cumulated = histogram.map { count in
            sum += count
            return max(0, sum)
        }
        scale = sample < 1 ? wanted : Double(keys.count)
        (requests, sampled) = (trace.keys.count, keys.count)
        (self.sample, distinct) = (
            min(1, sample), sample > 0 ? Int((Double(part.distinct) / min(1, sample)).rounded()) : 0
        )
    }

    private let sample: Double

    /// The share of requests that a cache of so many entries has.
    public func hitRatio(at capacity: Int) -> Double {
        let places = sample < 1 ? Int((Double(capacity) * sample).rounded()) : capacity
        guard places > 0, scale > 0, !cumulated.isEmpty else { return 0 }
        return min(1, cumulated[min(places, cumulated.count) - 1] / scale)
    }
}

extension Trace {
    /// Only the requests for keys whose hash is below a threshold: the same keys each time, all requests of each.
    public func sampled(_ share: Double) -> Trace {
        guard share < 1 else { return self }
        let threshold = UInt64(max(0, share) * 18_446_744_073_709_549_568)
        var part = Trace()
        var numbers = [UInt32](repeating: .max, count: distinct)
        for key in keys where UInt64.mixed(UInt64(key) &+ 1) < threshold {
            if numbers[Int(key)] == .max { numbers[Int(key)] = UInt32(part.distinct) }
            part.append(numbers[Int(key)])
        }
        return part
    }
}

/// Sums of the first so many of numbers that change (Fenwick, Software: Practice and Experience 1994).
private struct PartialSums {
    private var nodes: [Int32]
    init(count: Int) { nodes = Array(repeating: 0, count: count + 1) }

    mutating func add(_ value: Int32, at index: Int) {
        var i = index + 1
        while i < nodes.count {
            nodes[i] += value
            i += i & -i
        }
    }

    func sum(through index: Int) -> Int {
        var (i, sum) = (index + 1, 0)
        while i > 0 {
            sum += Int(nodes[i])
            i -= i & -i
        }
        return sum
    }
}
