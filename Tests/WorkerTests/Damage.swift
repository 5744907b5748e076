import EventModel
import Foundation

/// What a disk may do to a file: ranges of zeros, and bytes that are others.
struct Damage {
    private var random: SeededRandom

    init(_ seed: UInt64) { random = SeededRandom(seed) }

    /// Damages one file somewhere; says how.
    mutating func strike(_ path: String) throws -> String {
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        if bytes.isEmpty { return "\(path) is empty" }
        let what: String
        if Bool.random(using: &random) {
            let sizes = [8, 64, 512, 4096]
            let size = min(sizes[Int.random(in: sizes.indices, using: &random)], bytes.count)
            var at = Int.random(in: 0...(bytes.count - size), using: &random)
            if Bool.random(using: &random) { at -= at % size }
            for i in at..<at + size { bytes[i] = 0 }
            what = "\(size) zeros at \(at)"
        } else {
            let count = Int.random(in: 1...24, using: &random)
            // Near each other or far apart.
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let span = Bool.random(using: &random) ? min(64, bytes.count - start) : bytes.count - start
            for _ in 0..<count {
                let at = start + Int.random(in: 0..<span, using: &random)
                bytes[at] = UInt8.random(in: 0...255, using: &random)
            }
            what = "\(count) bytes changed from \(start) on"
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return "\((path as NSString).lastPathComponent): \(what)"
    }

    mutating func pick<T>(_ all: [T]) -> T { all[Int.random(in: all.indices, using: &random)] }
}
