/// Finds out, line by line, how far a file has been imported before.
///
/// A file whose lines are all those of one that was imported goes on behind it. One that ends within it is a shorter copy:
/// nothing of it is new. One that differs from it is another file, from its start; but where at least ``shared`` lines are the
/// same those are not imported again.
struct Recognition {
    /// So many lines are the same in two files only where one is made from the other.
    static let shared = 1000

    private struct Candidate {
        var file: Int
        /// The last line up to which it is known to be the same.
        var same = 0
        /// The next line after which it can be compared.
        var next = 1
    }

    let files: [ImportedFile]
    private var alive: [Candidate]
    /// Lines that are known to be imported, whatever comes after them.
    private(set) var lines = 0
    /// The file that they are of, by its place among ``files``.
    private(set) var file: Int?
    /// Whether they are all of its lines: what comes goes on behind it.
    private(set) var isWhole = false

    init(_ files: [ImportedFile]) {
        self.files = files
        alive = files.indices.map { Candidate(file: $0, next: files[$0].next(after: 0)) }
        for (at, known) in files.enumerated() where known.lines == 0 { settle(0, at, whole: true) }
        alive.removeAll { files[$0.file].lines == 0 }
    }

    /// Whether no line to come can change what is known.
    var isDecided: Bool { alive.isEmpty }

    /// Takes the digest of the first so many lines; called for each line in order.
    mutating func add(_ count: Int, _ digest: UInt64) {
        var at = 0
        while at < alive.count {
            if count < alive[at].next {
                at += 1
                continue
            }
            var candidate = alive[at]
            if compare(&candidate, count, digest) {
                alive[at] = candidate
                at += 1
            } else {
                alive.remove(at: at)
            }
        }
    }

    /// Whether a file may still be the same after this line, and have more.
    private mutating func compare(_ candidate: inout Candidate, _ count: Int, _ digest: UInt64) -> Bool {
        let known = files[candidate.file]
        if count == known.lines {
            if digest == known.digest { settle(count, candidate.file, whole: true) }
            return false
        }
        guard known.digests[count] == UInt32(truncatingIfNeeded: digest) else { return false }
        candidate.same = count
        candidate.next = known.next(after: count)
        if count >= Self.shared, lines < count || !isWhole { settle(count, candidate.file, whole: false) }
        return true
    }

    private mutating func settle(_ count: Int, _ at: Int, whole: Bool) { (lines, file, isWhole) = (count, at, whole) }

    /// A last line that has no end yet.
    struct Tail {
        /// Of all lines before and this one as if it were finished.
        var digest: UInt64
        var isReadable: Bool
    }

    /// How a file ends within one that was imported.
    struct Copy: Equatable {
        var file: Int
        /// Its last lines that have no digests of their own to compare.
        var unchecked: Int
    }

    /// The file ends after so many lines: says of which one it is a shorter copy.
    func end(_ count: Int, _ tail: Tail?) -> Copy? {
        if count == 0 || isWhole && lines == count { return nil }
        for candidate in alive where count - candidate.same < LineDigests.step(at: count) {
            let known = files[candidate.file]
            if let tail, tail.isReadable, count < Self.shared {
                let there =
                    count + 1 == known.lines ? UInt32(truncatingIfNeeded: known.digest) : known.digests[count + 1]
                if there != UInt32(truncatingIfNeeded: tail.digest) { continue }
            }
            return Copy(file: candidate.file, unchecked: count - candidate.same)
        }
        return nil
    }
}

extension ImportedFile {
    /// The next line of which there is a digest.
    fileprivate func next(after line: Int) -> Int {
        let step = LineDigests.step(at: line + 1)
        let next = (line / step + 1) * step
        return next < lines && digests[next] != nil ? next : lines
    }
}
